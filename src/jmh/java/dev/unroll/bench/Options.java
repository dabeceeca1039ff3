package dev.unroll.bench;

import static dev.unroll.bench.peers.Libraries.*;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** What a run measures, for how long, and where its results go. */
final class Options {
  private static final List<String> NAMES = List.of(ONEDNN, ONNX_RUNTIME, PYTORCH_MKL, PYTORCH_OPENBLAS, DL4J);
  private static final String NONE = "none";

  @Option(names = "--quick", description = "Fewer workloads and peers, less time for each, the machine measured once.")
  boolean quick;

  @Option(names = "--only", paramLabel = "REGEX", description = "Only what matches, of lines as the tables have them.")
  Pattern only = Pattern.compile("");

  @Option(names = "--threads", split = ",", paramLabel = "N", description = "Thread counts, 1 and 2; default: both.")
  List<Integer> threads = List.of(1, 2);

  @Option(
      names = "--peers",
      split = ",",
      paramLabel = "NAME",
      description = "Or none. Default: onednn, onnxruntime, pytorch-mkl and, if not quick, pytorch-openblas, dl4j.")
  private List<String> peers;

  @Option(
      names = "--avx2",
      description = "Without AVX-512, as on processors that lack it; ONNX Runtime has no such switch and is left out.")
  boolean avx2;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description = "How often to measure each table, of which the fastest counts; default: 2, with --quick 1.")
  private Integer rounds;

  @Option(
      names = "--before",
      paramLabel = "JAR",
      description = "An older jar of this library, to be measured in turns with this one.")
  Path before;

  @Option(names = "--results", paramLabel = "DIR", description = "Where JSON and tables go; default: ${DEFAULT-VALUE}.")
  Path results = Path.of("target/bench");

  @Option(names = "--native", paramLabel = "DIR", description = "Where bench_limits is; default: ${DEFAULT-VALUE}.")
  Path programs = Path.of("target/native");

  /** What is wrong with them; null if nothing is. */
  String problem() {
    if (!List.of(1, 2).containsAll(threads)) { // the limits are those of one and two
      return "--threads " + threads + ": expected 1 or 2";
    }
    if (rounds() < 1) {
      return "--rounds " + rounds + ": expected 1 or more";
    }
    for (String peer : peers()) {
      if (!NAMES.contains(peer)) {
        return "--peers " + peer + ": expected some of " + NAMES + ", or none";
      }
    }
    if (before != null && !Files.isRegularFile(before)) {
      return "--before " + before + ": expected a jar of this library";
    }
    return null;
  }

  /** How often to measure each table. */
  int rounds() {
    return rounds != null ? rounds : quick ? 1 : 2;
  }

  /** The libraries that this one is measured beside. */
  List<String> peers() {
    List<String> chosen = new ArrayList<>(List.of(ONEDNN, ONNX_RUNTIME, PYTORCH_MKL));
    if (peers != null) {
      chosen = new ArrayList<>(peers);
      chosen.remove(NONE);
    } else if (!quick) {
      chosen.addAll(List.of(PYTORCH_OPENBLAS, DL4J));
    }
    if (avx2) {
      chosen.remove(ONNX_RUNTIME);
    }
    return chosen;
  }
}
