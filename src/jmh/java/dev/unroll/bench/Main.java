package dev.unroll.bench;

import static dev.unroll.bench.peers.Libraries.*;

import dev.unroll.bench.LayerWorkload.Lengths;
import dev.unroll.peers.RecurrentShape.Cell;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Measures this library beside its peers and prints tables. */
@Command(name = "bench", mixinStandardHelpOptions = true, sortOptions = false)
public final class Main implements Callable<Integer> {
  private static final Cell[] CELLS = {Cell.RNN_TANH, Cell.GRU, Cell.LSTM};
  private static final int[][] SHAPES = { // sequences, steps, units
    {1, 1, 64}, {1, 1, 256}, {1, 100, 128}, {16, 50, 64}, {32, 100, 128}, {64, 50, 256}, {64, 35, 512}, {32, 20, 1024}
  };
  private static final int[][] QUICK_SHAPES = {{1, 1, 64}, {1, 100, 128}, {32, 100, 128}, {64, 35, 512}};

  @Option(names = "--quick", description = "Fewer shapes and shorter iterations.")
  private boolean quick;

  @Option(names = "--only", paramLabel = "REGEX", description = "Only what matches, of lines as the tables have them.")
  private Pattern only = Pattern.compile("");

  @Option(names = "--threads", split = ",", paramLabel = "N", description = "Thread counts; default: 1,2.")
  private List<Integer> threads = List.of(1, 2);

  @Option(names = "--peers", split = ",", paramLabel = "NAME", description = "Peers; default: all.")
  private List<String> peers = List.of(ONEDNN, ONNX_RUNTIME, PYTORCH_MKL, PYTORCH_OPENBLAS);

  @Option(names = "--results", paramLabel = "DIR", description = "Where JSON and tables go; default: ${DEFAULT-VALUE}.")
  private Path results = Path.of("target/bench");

  @Option(names = "--native", paramLabel = "DIR", description = "Where bench_limits is; default: ${DEFAULT-VALUE}.")
  private Path programs = Path.of("target/native");

  private final Scores scores = new Scores();
  private Limits limits;
  private PrintWriter file;
  private WorkerProcess mkl;
  private WorkerProcess openblas;

  /** Runs the command and ends the virtual machine with its exit code. */
  public static void main(String[] arguments) {
    System.exit(new CommandLine(new Main()).execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    Files.createDirectories(results);
    long start = System.nanoTime();
    try (PrintWriter tables = new PrintWriter(results.resolve("tables.txt").toFile(), StandardCharsets.UTF_8);
        WorkerProcess first = new WorkerProcess("mkl", results.resolve("mkl.json"));
        WorkerProcess second = new WorkerProcess("openblas", results.resolve("openblas.json"))) {
      file = tables;
      mkl = first;
      openblas = second;
      for (int count : threads) {
        layers("One layer forward", false, count);
        layers("One layer, training", true, count);
      }
      print(String.format("%n%d s", (System.nanoTime() - start) / 1_000_000_000));
    }
    return 0;
  }

  private void print(String line) {
    System.out.println(line);
    file.println(line);
    file.flush();
  }

  private void layers(String title, boolean training, int count) throws IOException {
    List<LayerWorkload> workloads = new ArrayList<>();
    for (int[] shape : quick ? QUICK_SHAPES : SHAPES) {
      for (Cell cell : CELLS) {
        workloads.add(new LayerWorkload(cell, training, shape[0], shape[1], shape[2], Lengths.EQUAL));
      }
    }
    List<String> contenders = peers.stream().filter(peer -> !training || !peer.equals(ONNX_RUNTIME)).toList();
    compare(title, RecurrentLayer.class, workloads, contenders, count);
  }

  /** One table of workloads of recurrent layers. */
  private void compare(
      String title, Class<? extends Contest> benchmark, List<LayerWorkload> workloads, List<String> contenders, int count)
      throws IOException {
    List<LayerWorkload> chosen =
        workloads.stream().filter(workload -> only.matcher(workload.toString()).find()).toList();
    if (chosen.isEmpty()) {
      return;
    }
    Limits now = Limits.measure(programs.resolve("bench_limits"));
    limits = limits == null ? now : limits.better(now);
    Table table = new Table(scores, title + "; " + limits.describe(count), contenders, count, this::print);
    LimitModel model = new LimitModel(limits, count);
    for (LayerWorkload workload : chosen) {
      measure(benchmark, workload, contenders, count);
      table.add(workload, workload.operations(), limits.fmaPeak(count), model.seconds(workload));
    }
    table.end();
  }

  private void measure(Class<? extends Contest> benchmark, Workload workload, List<String> contenders, int count)
      throws IOException {
    List<String> inFirst = new ArrayList<>(List.of(UNROLL));
    List<String> inSecond = new ArrayList<>();
    contenders.forEach(name -> (name.startsWith(PYTORCH_OPENBLAS) ? inSecond : inFirst).add(name));
    ask(mkl, request(benchmark, workload, inFirst, count), workload);
    if (!inSecond.isEmpty()) {
      ask(openblas, request(benchmark, workload, inSecond, count), workload);
    }
  }

  private Request request(Class<? extends Contest> benchmark, Workload workload, List<String> contenders, int count) {
    return new Request(
        benchmark.getName(), workload.toString(), count, contenders, quick ? 3 : 5, quick ? 50 : 100);
  }

  private void ask(WorkerProcess worker, Request request, Workload workload) throws IOException {
    worker.measure(request).forEach(measurement -> scores.add(workload, request.threads(), measurement));
  }
}
