package dev.unroll.bench;

import dev.unroll.bench.peers.Libraries;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A {@link Worker} in a process of its own, seen from outside. */
final class WorkerProcess implements AutoCloseable {
  /**
   * The heap as it is in a process that has run for a while: a page that was never touched costs as much as to fill it
   * many times over, on virtual machines above all. Large pages only make the start short.
   */
  private static final List<String> TOUCHED_HEAP =
      List.of("-Xms1g", "-XX:+AlwaysPreTouch", "-XX:+UseTransparentHugePages");

  /**
   * The native heap likewise: what is freed stays in the process, as an allocator that caches keeps it. By default glibc
   * gives large blocks back at once and takes pages anew in every call: a training step of PyTorch takes up to one and
   * a half times as long.
   */
  private static final Map<String, String> KEPT_MEMORY =
      Map.of(
          "MALLOC_ARENA_MAX", "1",
          "MALLOC_MMAP_MAX_", "0",
          "MALLOC_TRIM_THRESHOLD_", "20000000000",
          "MALLOC_TOP_PAD_", "67108864");

  private final Process process;
  private final PrintStream requests;
  private final BufferedReader answers;
  private final File log;
  private boolean hasEnded;

  /**
   * Starts it.
   *
   * @param linearAlgebra the name of the one under PyTorch
   * @param avx2 whether to keep AVX-512 from it
   * @param library another jar of this library; null for this build
   * @param results the file that its results go to
   */
  WorkerProcess(String linearAlgebra, boolean avx2, Path library, Path results) throws IOException {
    ProcessBuilder builder = builder(linearAlgebra, avx2, Worker.class, results.toString());
    if (library != null) {
      builder.environment().merge("CLASSPATH", library.toString(), (all, first) -> first + File.pathSeparator + all);
    }
    builder.environment().putAll(KEPT_MEMORY);
    builder.command().addAll(1, TOUCHED_HEAP);
    log = results.resolveSibling(results.getFileName() + ".log").toFile();
    process = builder.redirectError(log).start();
    requests = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
    answers = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    await(); // nothing is measured beside a virtual machine that starts
  }

  /**
   * A virtual machine like this one, with the linear algebra of that name: mkl, openblas, or dl4j, on one thread; without
   * AVX-512 if so asked.
   */
  static ProcessBuilder builder(String linearAlgebra, boolean avx2, Class<?> main, String argument) {
    boolean dl4j = linearAlgebra.equals(Libraries.DL4J);
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx4g",
            "-Djmh.ignoreLock=true",
            "-Dorg.bytedeco.openblas.load=" + (dl4j ? "openblas" : linearAlgebra),
            "-Dorg.bytedeco.javacpp.cachedir=" + System.getProperty("org.bytedeco.javacpp.cachedir"),
            "-Dorg.bytedeco.javacpp.maxphysicalbytes=0",
            main.getName(),
            argument);
    // Not as an argument: ONNX Runtime 1.29 ends the process if its command line is longer than about 4,000 bytes.
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    // See IntelOpenMp. Its threads spin for a moment after a call, not for the 200 ms of their default, so that none
    // disturbs the next contender.
    builder.environment().put("MKL_THREADING_LAYER", "INTEL");
    builder.environment().put("KMP_BLOCKTIME", "10");
    if (avx2) {
      builder.command().add(1, "-Dunroll.isa=avx2");
      builder.environment().put("ONEDNN_MAX_CPU_ISA", "AVX2");
      builder.environment().put("MKL_ENABLE_INSTRUCTIONS", "AVX2");
      builder.environment().put("ATEN_CPU_CAPABILITY", "avx2");
      builder.environment().put("OPENBLAS_CORETYPE", "Haswell");
    }
    if (dl4j) { // which has no other way to say it
      builder.environment().put("OMP_NUM_THREADS", "1");
      builder.environment().put("OPENBLAS_NUM_THREADS", "1");
    }
    return builder;
  }

  /** Waits for what it finds out: one measurement of every contender in turn, of fewer if it ends meanwhile. */
  List<Measurement> measure(Request request) throws IOException {
    requests.println(request);
    return await();
  }

  private List<Measurement> await() throws IOException {
    List<Measurement> measurements = new ArrayList<>();
    for (String line = answers.readLine(); !Worker.DONE.equals(line); line = answers.readLine()) {
      if (line == null) {
        hasEnded = true;
        return measurements;
      }
      if (Measurement.matches(line)) {
        measurements.add(Measurement.parse(line));
      }
    }
    return measurements;
  }

  /** Whether it ended by itself before it had answered, as a process does that a library brings down. */
  boolean hasEnded() {
    return hasEnded;
  }

  /** How it ended. */
  String ending() {
    return "its process ended with exit code " + process.onExit().join().exitValue() + ", see " + log;
  }

  /** Ends it after it has written its results. */
  @Override
  public void close() {
    requests.close();
    process.onExit().join();
  }
}
