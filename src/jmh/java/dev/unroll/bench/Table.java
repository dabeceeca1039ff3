package dev.unroll.bench;

import dev.unroll.bench.peers.Libraries;
import dev.unroll.bench.work.Workload;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** One table: a workload a line, this library's time beside the limit and beside each peer's. */
final class Table {
  private static final String COLUMNS = "%-36s %9s %8s %8s %7s %9s %7s";

  private final Scores scores;
  private final List<String> peers;
  private final int threads;
  private final Consumer<String> out;
  private final List<Double> ratios = new ArrayList<>();
  private final List<Double> allowed = new ArrayList<>();
  private final Set<String> marks = new HashSet<>();
  private double worst = Double.POSITIVE_INFINITY;
  private String worstAt = "";

  /**
   * Prints the heading.
   *
   * @param out takes one line after the other
   */
  Table(Scores scores, String title, List<String> peers, int threads, Consumer<String> out) {
    this.scores = scores;
    this.peers = peers;
    this.threads = threads;
    this.out = out;
    out.accept("");
    out.accept(title);
    String over = threads > 1 ? "x thread" : "";
    StringBuilder line =
        new StringBuilder(String.format(COLUMNS, "", "unroll", over, "GFLOP/s", "of peak", "limit", "reached"));
    peers.forEach(peer -> line.append(column(peer, peer)));
    out.accept(peers.isEmpty() ? line.toString() : line + String.format("  %-30s%s", "best peer", "allowed"));
  }

  /**
   * Prints a line.
   *
   * @param operations of the workload; 0 if not counted
   * @param peak operations a second
   * @param limit seconds that the machine allows; NaN if there is no model
   */
  void add(Workload workload, double operations, double peak, double limit) {
    Measurement ours = scores.of(workload, threads).get(Libraries.UNROLL);
    List<String> refusals = new ArrayList<>();
    double seconds = Double.NaN;
    if (ours != null && ours.isTimed()) {
      seconds = ours.seconds();
    } else if (ours != null) {
      refusals.add(Libraries.UNROLL + ": " + ours.refusal());
    }
    double rate = operations / seconds;
    boolean timed = !Double.isNaN(seconds);
    boolean counted = operations > 0 && timed;
    boolean modelled = !Double.isNaN(limit);
    StringBuilder line =
        new StringBuilder(
            String.format(
                COLUMNS,
                workload,
                timed ? Format.time(seconds) : "-",
                overOneThread(workload, seconds),
                counted ? String.format("%.1f", rate * 1e-9) : "",
                counted ? Format.percent(rate / peak) : "",
                modelled ? Format.time(limit) : "",
                modelled && timed ? Format.percent(limit / seconds) : ""));
    Scores.Best best = null;
    for (String peer : peers) {
      Measurement measured = scores.of(workload, threads).get(peer);
      if (measured != null && !measured.isTimed()) {
        refusals.add(peer + ": " + measured.refusal());
      }
      Scores.Best of = scores.best(workload, threads, peer);
      String cell = "-";
      if (of != null) {
        cell = Format.time(of.seconds()) + of.mark();
        marks.add(of.mark());
        cell += timed ? " " + Format.ratio(of.seconds() / seconds) : "";
      }
      line.append(column(peer, cell));
      boolean isPeer = !peer.equals(Libraries.BEFORE);
      if (of != null && isPeer && (best == null || of.seconds() < best.seconds())) {
        best = of;
      }
    }
    if (best != null && timed) {
      double ratio = best.seconds() / seconds;
      ratios.add(ratio);
      line.append(String.format("  %-30s", Format.ratio(ratio) + " " + best.contender()));
      if (modelled) {
        double most = best.seconds() / limit;
        allowed.add(most);
        line.append(Format.ratio(most));
      }
      if (ratio < worst) {
        worst = ratio;
        worstAt = workload.toString();
      }
    }
    out.accept(line.toString().stripTrailing());
    refusals.forEach(refusal -> out.accept("    not timed: " + refusal));
  }

  /** A column of a peer, wide enough for its name. */
  private static String column(String peer, String text) {
    return String.format("  %-" + Math.max(17, peer.length()) + "s", text);
  }

  /** How many times faster than with one thread; empty where that was not measured. */
  private String overOneThread(Workload workload, double seconds) {
    Measurement one = scores.of(workload, 1).get(Libraries.UNROLL);
    return threads == 1 || one == null || !one.isTimed() ? "" : Format.ratio(one.seconds() / seconds);
  }

  /** Explains the marks. */
  void endWithoutMean() {
    if (marks.contains(Scores.FASTER_WITH_ONE)) {
      out.accept("* with one thread, where it is faster than with " + threads);
    }
    if (marks.contains(Scores.ONLY_ONE)) {
      out.accept("' with one thread, with more it was not measured");
    }
  }

  /** Prints the geometric mean of the ratios to the best peer, the lowest, and the mean that the limits would allow. */
  void end() {
    if (!ratios.isEmpty()) {
      String most = allowed.isEmpty() ? "" : "; allowed: geometric mean " + Format.ratio(geometricMean(allowed));
      out.accept(
          String.format(
              "best peer / unroll: geometric mean %s, lowest %s (%s)%s",
              Format.ratio(geometricMean(ratios)), Format.ratio(worst), worstAt, most));
    }
    endWithoutMean();
  }

  private static double geometricMean(List<Double> values) {
    return Math.exp(values.stream().mapToDouble(Math::log).average().orElseThrow());
  }
}
