package dev.unroll.golden;

import dev.unroll.Unroll;
import dev.unroll.golden.GoldenHashes.Run;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Recomputes the committed hashes with every instruction set and JDK of this machine and prints a table with a tick for
 * each instruction set, number of threads, split of the batch and JDK; leaves with 1 unless all are equal.
 *
 * <p>{@code --java COMMAND} runs one more virtual machine, for example that of another architecture in an emulator;
 * {@code --write FILE} writes the hashes of this machine instead, after a change that is meant to change bits.
 */
public final class GoldenTable {
  private static final List<String> SPLITS = List.of("whole", "permuted", "split", "merged");

  private final Map<String, Split.Hashes> golden = GoldenFile.read();
  private boolean equal = true;

  private GoldenTable() {}

  /** Takes the options above. */
  public static void main(String[] arguments) throws Exception {
    if (arguments.length == 2 && arguments[0].equals("--write")) {
      GoldenFile.write(Path.of(arguments[1]), GoldenHashes.runs(List.of(1), List.of()));
      return;
    }
    GoldenTable table = new GoldenTable();
    table.print(arguments);
    System.out.println(table.equal ? "\nall equal" : "\nDIFFERENT");
    System.exit(table.equal ? 0 : 1);
  }

  private void print(String[] arguments) throws Exception {
    System.out.printf("%-28s %-18s %s%n", "model", "per sequence", "sums: gradients, trained weights");
    golden.forEach((model, hashes) -> System.out.printf("%-28s %-18s %s%n", model, hashes.perSequence(), hashes.sums()));
    System.out.printf("%nyes: all %d models have these hashes%n%n", golden.size());
    System.out.println(row("architecture", "JDK", "set", "threads", SPLITS));
    String architecture = System.getProperty("os.arch");
    for (Jdk jdk : Jdk.installed()) {
      for (String set : Unroll.supportedInstructionSets()) {
        print(architecture, jdk, List.of("-Dunroll.isa=" + set));
      }
    }
    for (int i = 0; i + 1 < arguments.length; i += 2) {
      if (!arguments[i].equals("--java")) {
        throw new IllegalArgumentException("argument is " + arguments[i] + ": expected --java or --write");
      }
      List<String> command = List.of(arguments[i + 1].split(" "));
      Jdk jdk = new Jdk("", command);
      List<String> about = jdk.run(List.of(), About.class);
      print(about.get(0), new Jdk(about.get(1), command), List.of());
    }
  }

  private void print(String architecture, Jdk jdk, List<String> options) throws Exception {
    List<String> lines = jdk.run(options, GoldenHashes.class);
    List<Run> runs = lines.stream().skip(1).map(Run::of).toList();
    for (int threads : GoldenHashes.THREADS) {
      List<String> ticks = new ArrayList<>();
      for (Split split : Split.values()) {
        ticks.add(tick(runs, run -> run.threads() == threads && run.split() == split));
      }
      System.out.println(row(architecture, jdk.version(), lines.get(0), Integer.toString(threads), ticks));
    }
  }

  private String tick(List<Run> runs, Predicate<Run> which) {
    List<String> different = runs.stream().filter(which).filter(run -> !isGolden(run, golden)).map(Run::model).toList();
    equal &= different.isEmpty() && runs.stream().anyMatch(which);
    return different.isEmpty() ? "yes" : "NO: " + String.join(" ", different);
  }

  static boolean isGolden(Run run, Map<String, Split.Hashes> golden) {
    Split.Hashes expected = golden.get(run.model());
    Split.Hashes actual = run.hashes();
    return expected != null
        && expected.perSequence().equals(actual.perSequence())
        && (actual.sums().equals(Split.Hashes.NONE) || expected.sums().equals(actual.sums()));
  }

  private static String row(String architecture, String jdk, String set, String threads, List<String> cells) {
    StringBuilder row = new StringBuilder(String.format("%-13s %-10s %-8s %-8s", architecture, jdk, set, threads));
    cells.forEach(cell -> row.append(String.format(" %-9s", cell)));
    return row.toString().stripTrailing();
  }

  /** Prints the architecture and version of the virtual machine that runs it. */
  public static final class About {
    private About() {}

    /** Takes nothing. */
    public static void main(String[] arguments) {
      System.out.println(System.getProperty("os.arch"));
      System.out.println(System.getProperty("java.version"));
    }
  }
}
