package dev.unroll.bench;

import dev.unroll.bench.peers.IntelOpenMp;
import dev.unroll.bench.peers.Libraries;
import dev.unroll.bench.work.LayerWorkload;
import dev.unroll.bench.work.Subject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** How long does a fresh virtual machine take from its start to the first step of an LSTM, beside each peer? */
public final class FirstResult {
  private static final String WORKLOAD = "LSTM forward 1x1x64";
  private static final String ARRIVED = "@arrived";
  /** In the place of a library: the virtual machine alone. */
  static final String NOTHING = "none";

  private FirstResult() {}

  /** In the fresh virtual machine: takes the name of the library. */
  public static void main(String[] arguments) {
    if (arguments[0].equals(Libraries.PYTORCH_MKL)) {
      IntelOpenMp.load();
    }
    if (!arguments[0].equals(NOTHING)) {
      LayerWorkload workload = LayerWorkload.parse(WORKLOAD).fromZero();
      try (Subject subject = workload.prepare(Libraries.of(arguments[0])).orElseThrow()) {
        subject.run();
        System.out.println(ARRIVED);
        System.out.flush();
        // Without the end of the process, which destroys what libraries made and is not what is measured.
        Runtime.getRuntime().halt(0);
      }
    }
    System.out.println(ARRIVED);
  }

  /** Starts virtual machines, one after the other; the median of their times in seconds. */
  static double measure(String library, boolean avx2, int repeats) throws IOException {
    String linearAlgebra =
        switch (library) {
          case Libraries.PYTORCH_OPENBLAS -> "openblas";
          case Libraries.DL4J -> Libraries.DL4J;
          default -> "mkl";
        };
    List<Double> times = new ArrayList<>();
    for (int i = 0; i < repeats; i++) {
      ProcessBuilder builder = WorkerProcess.builder(linearAlgebra, avx2, FirstResult.class, library);
      long start = System.nanoTime();
      Process process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
      try (BufferedReader lines =
          new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
        String line = lines.readLine();
        while (line != null && !line.equals(ARRIVED)) {
          line = lines.readLine();
        }
        times.add(line == null ? Double.NaN : (System.nanoTime() - start) * 1e-9);
      }
      process.destroy();
    }
    Collections.sort(times);
    return times.get(times.size() / 2);
  }
}
