package dev.unroll.bench;

import static dev.unroll.bench.peers.Libraries.*;

import dev.unroll.Unroll;
import dev.unroll.bench.work.CharacterModelWorkload;
import dev.unroll.bench.work.CrossEntropyWorkload;
import dev.unroll.bench.work.FunctionWorkload;
import dev.unroll.bench.work.FunctionWorkload.Function;
import dev.unroll.bench.work.LayerWorkload;
import dev.unroll.bench.work.LayerWorkload.Lengths;
import dev.unroll.bench.work.PackingWorkload;
import dev.unroll.bench.work.PackingWorkload.Form;
import dev.unroll.bench.work.PackingWorkload.Task;
import dev.unroll.bench.work.TokenWorkload;
import dev.unroll.bench.work.TokenWorkload.Vectors;
import dev.unroll.bench.work.Workload;
import dev.unroll.peers.RecurrentShape.Cell;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Measures this library beside its peers and prints tables. */
@Command(name = "bench", mixinStandardHelpOptions = true, sortOptions = false)
public final class Main implements Callable<Integer> {
  private static final Cell[] CELLS = {Cell.RNN_TANH, Cell.GRU, Cell.LSTM};
  private static final int[][] SHAPES = { // sequences, steps, units
    {1, 1, 64}, {1, 1, 256}, {1, 100, 128}, {16, 50, 64}, {32, 100, 128}, {64, 50, 256}, {64, 35, 512}, {32, 20, 1024}
  };
  private static final int[][] QUICK_SHAPES = {{1, 100, 128}, {32, 100, 128}};

  @Mixin
  private final Options options = new Options();

  private final Map<Class<? extends Contest>, Scores> scores = new HashMap<>();
  private Limits limits;
  private PrintWriter file;
  private Workers workers;

  /** Runs the command and ends the virtual machine with its exit code. */
  public static void main(String[] arguments) {
    System.exit(new CommandLine(new Main()).execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    String problem = options.problem();
    if (problem != null) {
      System.err.println(problem);
      return CommandLine.ExitCode.USAGE;
    }
    Files.createDirectories(options.results);
    long start = System.nanoTime();
    try (PrintWriter tables = new PrintWriter(options.results.resolve("tables.txt").toFile(), StandardCharsets.UTF_8);
        Workers processes = new Workers(options)) {
      file = tables;
      workers = processes;
      print(machine());
      for (int count : options.threads) {
        layers("One layer forward", false, count);
        layers("One layer, training", true, count);
        variableLengths(count);
        if (count == options.threads.get(0)) {
          oddSizes(count);
        }
        characterModel(count);
        tokens(count);
        functions(count);
        packing(count);
        stream(count);
      }
      packingThroughput();
      firstResults();
      print(String.format("%n%d s", (System.nanoTime() - start) / 1_000_000_000));
    }
    return scores.values().stream().anyMatch(Scores::hasFailures) ? CommandLine.ExitCode.SOFTWARE : 0;
  }

  /** What a benchmark measured: a workload of another one is another matter. */
  private Scores scores(Class<? extends Contest> benchmark) {
    return scores.computeIfAbsent(benchmark, key -> new Scores());
  }

  /** The processor as Linux names it, and what runs on it. */
  private String machine() throws IOException {
    Map<String, String> processor = new HashMap<>();
    for (String line : Files.readAllLines(Path.of("/proc/cpuinfo"))) {
      String[] field = line.split("\\s*:\\s*", 2);
      processor.putIfAbsent(field[0], field.length == 2 ? field[1] : "");
    }
    return String.format(
        "%s (family %s, model %s), %d processors; Unroll with %s; Java %s",
        processor.get("model name"),
        processor.get("cpu family"),
        processor.get("model"),
        Runtime.getRuntime().availableProcessors(),
        options.avx2 ? "avx2" : Unroll.instructionSet(),
        System.getProperty("java.version"));
  }

  private void print(String line) {
    System.out.println(line);
    file.println(line);
    file.flush();
  }

  private void layers(String title, boolean training, int count) throws IOException {
    List<LayerWorkload> workloads = new ArrayList<>();
    for (int[] shape : options.quick ? QUICK_SHAPES : SHAPES) {
      for (Cell cell : CELLS) {
        workloads.add(new LayerWorkload(cell, training, shape[0], shape[1], shape[2], shape[2]));
      }
    }
    compare(title, RecurrentLayer.class, workloads, training ? peersBut(ONNX_RUNTIME) : options.peers(), count);
  }

  private List<String> peersBut(String... left) {
    return options.peers().stream().filter(peer -> !List.of(left).contains(peer)).toList();
  }

  private List<String> pytorch() {
    return options.peers().stream().filter(peer -> peer.startsWith("pytorch")).toList();
  }

  private void variableLengths(int count) throws IOException {
    for (boolean training : new boolean[] {false, true}) {
      List<LayerWorkload> variable = new ArrayList<>();
      for (Cell cell : options.quick ? new Cell[] {Cell.LSTM} : CELLS) {
        variable.add(new LayerWorkload(cell, training, 32, 100, 128, 128).with(Lengths.VARIABLE));
      }
      List<String> contenders = new ArrayList<>(training ? peersBut(ONNX_RUNTIME, DL4J) : peersBut(DL4J));
      contenders.addAll(pytorch().stream().map(peer -> peer + PACKED).toList());
      compare("Variable lengths", VariableLengths.class, variable, contenders, count);
      List<LayerWorkload> equal =
          chosen(variable).stream().map(each -> each.with(Lengths.EQUAL_SUM)).toList();
      measure(VariableLengths.class, equal, List.of(), count);
      for (LayerWorkload workload : equal) {
        double seconds = ours(VariableLengths.class, workload, count);
        String ratio = Format.ratio(seconds / ours(VariableLengths.class, workload.with(Lengths.VARIABLE), count));
        print(String.format("%-34s %9s, %s of the time with variable lengths", workload, Format.time(seconds), ratio));
      }
    }
  }

  /**
   * Sizes that are no multiple of 8, each followed by the next that is one, and more or fewer inputs than units: with
   * the first number of threads only, lest all take more than twenty minutes.
   */
  private void oddSizes(int count) throws IOException {
    int[][] sizes = {{61, 61}, {64, 64}, {100, 100}, {104, 104}, {250, 250}, {256, 256}, {40, 256}, {512, 128}};
    for (boolean training : new boolean[] {false, true}) {
      List<LayerWorkload> workloads = new ArrayList<>();
      for (Cell cell : CELLS) {
        for (int[] size : sizes) {
          workloads.add(new LayerWorkload(cell, training, 33, 50, size[0], size[1]));
        }
      }
      if (!options.quick) {
        compare("Sizes beside the grid", OddSizes.class, workloads, List.of(), count);
      }
    }
  }

  private void characterModel(int count) throws IOException {
    List<CharacterModelWorkload> workloads = chosen(List.of(new CharacterModelWorkload()));
    List<String> contenders = pytorch();
    if (!workloads.isEmpty()) {
      Table table = table("Training step of a character model", CharacterModel.class, contenders, count);
      measure(CharacterModel.class, workloads, contenders, count);
      for (CharacterModelWorkload workload : workloads) {
        table.add(workload, workload.operations(), limits.fmaPeak(count), Double.NaN);
      }
      table.endWithoutMean();
    }
  }

  /** An LSTM over the vectors of few, of many and of only distinct tokens, beside one over a vector for every step. */
  private void tokens(int count) throws IOException {
    List<TokenWorkload> all = new ArrayList<>();
    for (boolean training : new boolean[] {false, true}) {
      for (int vocabulary : options.quick ? new int[] {65} : new int[] {65, 1000, 20_000}) {
        all.add(new TokenWorkload(Vectors.OF_TOKENS, training, vocabulary, 256, 256));
      }
    }
    List<TokenWorkload> workloads = chosen(all);
    List<TokenWorkload> inPairs = new ArrayList<>();
    workloads.forEach(each -> inPairs.addAll(List.of(each, each.with(Vectors.OF_STEPS))));
    measure(Tokens.class, inPairs, List.of(), count);
    for (TokenWorkload workload : workloads) {
      double seconds = ours(Tokens.class, workload, count);
      String ratio = Format.ratio(seconds / ours(Tokens.class, workload.with(Vectors.OF_STEPS), count));
      String format = "%-34s %9s, %s of the time with a vector for every step";
      print(String.format(format, workload, Format.time(seconds), ratio));
    }
  }

  private void functions(int count) throws IOException {
    List<Workload> workloads = new ArrayList<>();
    boolean quick = options.quick;
    for (Function softmax : quick ? EnumSet.of(Function.SOFTMAX) : EnumSet.of(Function.SOFTMAX, Function.LOG_SOFTMAX)) {
      workloads.add(new FunctionWorkload(softmax, 1024, 65));
      workloads.add(new FunctionWorkload(softmax, 256, 10_000));
    }
    workloads.add(new CrossEntropyWorkload(2048, 10_000));
    for (Function function : quick ? EnumSet.of(Function.TANH) : EnumSet.range(Function.TANH, Function.LOG)) {
      workloads.add(new FunctionWorkload(function, 1, 65_536));
    }
    workloads = chosen(workloads);
    if (!workloads.isEmpty()) {
      List<String> contenders = peersBut(DL4J);
      Table table = table("Functions", Functions.class, contenders, count);
      measure(Functions.class, workloads, contenders, count);
      for (Workload workload : workloads) {
        table.add(workload, 0, 0, Double.NaN);
      }
      table.end();
    }
  }

  /** Packing and unpacking beside the forward passes that it serves. */
  private void packing(int count) throws IOException {
    List<PackingWorkload> workloads = new ArrayList<>();
    for (Form form : Form.values()) {
      workloads.add(new PackingWorkload(form, Task.BOTH, 32, 100, 128));
    }
    workloads = chosen(workloads);
    if (workloads.isEmpty()) {
      return;
    }
    PackingWorkload any = workloads.get(0);
    List<LayerWorkload> forward = List.of(any.forward(Cell.GRU), any.forward(Cell.LSTM));
    measure(Packing.class, workloads, List.of(), count);
    measure(VariableLengths.class, forward, List.of(), count);
    for (PackingWorkload workload : workloads) {
      double seconds = ours(Packing.class, workload, count);
      StringBuilder line = new StringBuilder(String.format("%-34s %9s", workload, Format.time(seconds)));
      for (LayerWorkload pass : forward) {
        line.append(String.format(", %.1f %% of %s", 100 * seconds / ours(VariableLengths.class, pass, count), pass));
      }
      print(line.toString());
    }
  }

  /**
   * What packing and unpacking reach of the throughput of a plain copy, in batches of about 1 MB and 33 MB; what counts
   * is what is read and what is written.
   */
  private void packingThroughput() throws IOException {
    for (Form form : Form.values()) {
      for (int[] size : new int[][] {{1, 100}, {33, 500}}) { // megabytes, steps
        for (int features : options.quick ? new int[] {13} : new int[] {1, 4, 13, 128}) {
          int sequences = (int) (size[0] * 2e6 / (features * size[1] * Float.BYTES));
          PackingWorkload batch = new PackingWorkload(form, Task.BOTH, sequences, size[1], features);
          if (!chosen(List.of(batch)).isEmpty()) {
            PackingWorkload copying = batch.with(Task.COPY);
            PackingWorkload packing = batch.with(Task.PACK);
            PackingWorkload unpacking = batch.with(Task.UNPACK);
            workers.measureBriefly(Packing.class, List.of(copying, packing, unpacking), scores(Packing.class));
            double copy = throughput(copying);
            double pack = throughput(packing) / copy;
            double unpack = throughput(unpacking) / copy;
            String format = "%-34s %3d MB, copied at %4.1f GB/s: packed at %3.0f %%, unpacked at %3.0f %% of that";
            print(String.format(format, batch, size[0], copy * 1e-9, 100 * pack, 100 * unpack));
          }
        }
      }
    }
  }

  /** Bytes a second that are moved: the mean of those read and those written. */
  private double throughput(PackingWorkload workload) {
    return workload.moved() * Float.BYTES / ours(Packing.class, workload, 1);
  }

  private void stream(int count) throws IOException {
    LayerWorkload step = new LayerWorkload(Cell.LSTM, false, 1, 1, 64, 64);
    if (options.only.matcher("session").find()) {
      measure(StreamingStep.class, List.of(step), List.of(), count);
      Measurement ours = scores(StreamingStep.class).of(step, count).get(UNROLL);
      String format = "%nOne step of a session, %s, threads %d: %s, %.0f bytes of Java heap allocated";
      print(String.format(format, step, count, Format.time(ours.seconds()), ours.bytes()));
    }
  }

  /** Only at the end, while no worker is busy. */
  private void firstResults() throws IOException {
    if (!options.only.matcher("first result").find()) {
      return;
    }
    print(String.format("%nFrom the start of a virtual machine to the first result, median"));
    List<String> libraries = new ArrayList<>(List.of(FirstResult.NOTHING, UNROLL));
    libraries.addAll(options.peers());
    for (String library : libraries) {
      double seconds = FirstResult.measure(library, options.avx2, options.quick ? 1 : 5);
      String time = Double.isNaN(seconds) ? "failed" : Format.time(seconds);
      print(String.format("first result of %-18s %9s", library, time));
    }
  }

  private <W extends Workload> List<W> chosen(List<W> workloads) {
    return workloads.stream().filter(workload -> options.only.matcher(workload.toString()).find()).toList();
  }

  /** One table of workloads of recurrent layers. */
  private void compare(
      String title,
      Class<? extends Contest> benchmark,
      List<LayerWorkload> workloads,
      List<String> contenders,
      int count)
      throws IOException {
    List<LayerWorkload> chosen = chosen(workloads);
    if (chosen.isEmpty()) {
      return;
    }
    Table table = table(title, benchmark, contenders, count);
    LimitModel model = new LimitModel(limits, count);
    measure(benchmark, chosen, contenders, count);
    for (LayerWorkload workload : chosen) {
      table.add(workload, workload.operations(), limits.fmaPeak(count), model.seconds(workload));
    }
    table.end();
  }

  /** Measures the machine, several times if there is time, and starts a table. */
  private Table table(String title, Class<? extends Contest> benchmark, List<String> contenders, int count)
      throws IOException {
    // The first table is to be as well informed as the last.
    int times = options.quick ? limits == null ? 1 : 0 : limits == null ? 3 : 1;
    for (int i = 0; i < times; i++) {
      Limits now = Limits.measure(options.programs.resolve("bench_limits"), options.avx2);
      limits = limits == null ? now : limits.better(now);
    }
    List<String> columns = new ArrayList<>(contenders);
    columns.addAll(options.before == null ? List.of() : List.of(BEFORE));
    return new Table(scores(benchmark), title + "; " + limits.describe(count), columns, count, this::print);
  }

  private void measure(
      Class<? extends Contest> benchmark, List<? extends Workload> workloads, List<String> contenders, int count)
      throws IOException {
    workers.measure(benchmark, workloads, contenders, count, scores(benchmark));
  }

  /** Seconds that this library took. */
  private double ours(Class<? extends Contest> benchmark, Workload workload, int count) {
    return scores(benchmark).of(workload, count).get(UNROLL).seconds();
  }
}
