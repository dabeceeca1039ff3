package dev.unroll.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What this machine's cores can do, as the native program {@code bench_limits} measures it. */
record Limits(Map<String, Double> values) {
  private static final double GIGA = 1e9;

  /** A level of memory, or a part of one: how many bytes it holds for one thread, or for all. */
  record Level(String name, double bytes, boolean shared) {}

  /** Runs the program, with AVX2 or with the best that the processor has. */
  static Limits measure(Path program, boolean avx2) throws IOException {
    List<String> command = new ArrayList<>(List.of(program.toString()));
    command.addAll(avx2 ? List.of("avx2") : List.of());
    Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    Map<String, Double> values = new HashMap<>();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    for (String line : text.split("\n")) {
      String[] words = line.trim().split(" +");
      values.put(words[0] + " " + words[1], Double.parseDouble(words[2]));
    }
    return new Limits(values);
  }

  /** The better of each value, for what was measured at several times. */
  Limits better(Limits other) {
    Map<String, Double> best = new HashMap<>(values);
    other.values.forEach((name, value) -> best.merge(name, value, Math::max));
    return new Limits(best);
  }

  /** Floating-point operations a second, an FMA counting two. */
  double fmaPeak(int threads) {
    return values.get("fma_peak " + threads) * GIGA;
  }

  /** Bytes a second that can be read from a level. */
  double readBandwidth(Level level, int threads) {
    return values.get("read_" + level.name + " " + threads) * GIGA;
  }

  /** The levels, nearest first. */
  List<Level> levels() {
    return List.of(
        new Level("l1", values.get("size_l1 1"), false),
        new Level("l2/4", values.get("size_l2 1") / 4, false),
        new Level("l2", values.get("size_l2 1"), false),
        new Level("l3", values.get("size_l3 1"), true),
        new Level("dram", Double.POSITIVE_INFINITY, true));
  }

  String describe(int threads) {
    String count = threads == 1 ? "1 thread" : threads + " threads";
    StringBuilder text = new StringBuilder(String.format("%s, FMA peak %.0f GFLOP/s", count, fmaPeak(threads) / GIGA));
    if (threads > 1) {
      text.append(String.format(" (%.2f x 1 thread)", fmaPeak(threads) / fmaPeak(1)));
    }
    text.append("; read GB/s:");
    for (Level level : levels()) {
      text.append(String.format(" %s %.0f", level.name, readBandwidth(level, threads) / GIGA));
    }
    return text.toString();
  }
}
