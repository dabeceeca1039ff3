package dev.unroll.bench;

import dev.unroll.bench.peers.IntelOpenMp;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatFactory;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * A virtual machine that measures what it is asked for, line by line: the linear algebra under PyTorch is chosen when
 * it is loaded, so each kind needs a process, and all live through the whole run to be measured in turns.
 */
public final class Worker {
  static final String DONE = "@done";

  private static final double NANOSECONDS = 1e-9;

  private final List<RunResult> results = new ArrayList<>();

  private Worker() {}

  /** Takes the file that JMH's results are written to at the end of the requests. */
  public static void main(String[] arguments) throws IOException, RunnerException {
    if (System.getProperty("org.bytedeco.openblas.load").equals("mkl")) {
      IntelOpenMp.load();
    }
    Worker worker = new Worker();
    System.out.println(DONE);
    BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = requests.readLine(); line != null; line = requests.readLine()) {
      worker.answer(Request.parse(line));
      System.out.println(DONE);
    }
    worker.write(arguments[0]);
  }

  private void answer(Request request) throws RunnerException {
    for (String contender : request.contenders()) {
      Collection<RunResult> run = new Runner(options(request, contender)).run();
      results.addAll(run);
      String refusal = Contest.takeRefusal(contender);
      if (run.isEmpty()) {
        String why = refusal == null ? "failed" : refusal;
        System.out.println(new Measurement(contender, Double.NaN, Double.NaN, why));
      }
      for (RunResult result : run) {
        System.out.println(new Measurement(contender, fastest(result), Contest.takeAllocated(contender), ""));
      }
    }
  }

  private static Options options(Request request, String contender) {
    Timing timing = request.timing();
    return new OptionsBuilder()
        .include("^" + request.benchmark().replace(".", "\\.") + "\\.")
        .param("contender", contender)
        .param("threads", Integer.toString(request.threads()))
        .param("workload", request.workload())
        .forks(0)
        .mode(timing.mode())
        .warmupIterations(1)
        .warmupTime(TimeValue.milliseconds(timing.warmup()))
        .measurementIterations(timing.iterations())
        .measurementTime(TimeValue.milliseconds(timing.milliseconds()))
        .shouldFailOnError(false)
        .verbosity(VerboseMode.SILENT)
        .build();
  }

  /** Of single calls if each was timed, else of the means of iterations. */
  private static double fastest(RunResult result) {
    return result.getPrimaryResult().getStatistics().getMin() * NANOSECONDS;
  }

  private void write(String file) throws IOException {
    try (PrintStream out = new PrintStream(file, StandardCharsets.UTF_8)) {
      ResultFormatFactory.getInstance(ResultFormatType.JSON, out).writeOut(results);
    }
  }
}
