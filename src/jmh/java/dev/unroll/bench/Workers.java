package dev.unroll.bench;

import static dev.unroll.bench.peers.Libraries.*;

import dev.unroll.peers.RecurrentShape.Cell;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The processes that measure: one with MKL under PyTorch and with all other libraries, one with OpenBLAS, one of DL4J.
 * They start when they are first needed, live through the whole run and compute in turns, so that all contenders of a
 * workload are measured right after each other.
 */
final class Workers implements AutoCloseable {
  private static final int BRIEF_ITERATIONS = 5;
  private static final int BRIEF_MILLISECONDS = 30;

  private final Path results;
  private final boolean quick;
  private final boolean avx2;
  private final Map<String, WorkerProcess> started = new LinkedHashMap<>();
  private int failures;

  /**
   * Starts none yet.
   *
   * @param results the folder that their results go to
   * @param quick whether to measure for a shorter time
   * @param avx2 whether to keep AVX-512 from them
   */
  Workers(Path results, boolean quick, boolean avx2) {
    this.results = results;
    this.quick = quick;
    this.avx2 = avx2;
  }

  /** Measures this library and some peers. */
  List<Measurement> measure(Class<? extends Contest> benchmark, Workload workload, List<String> peers, int threads)
      throws IOException {
    List<String> others = new ArrayList<>(List.of(UNROLL));
    peers.stream().filter(peer -> !peer.startsWith(PYTORCH_OPENBLAS) && !peer.equals(DL4J)).forEach(others::add);
    List<Measurement> all = new ArrayList<>(ask("mkl", benchmark, workload, others, threads));
    // With two threads OpenBLAS' and PyTorch's get into each other's way: a call may take a hundred times as long.
    if (threads == 1) {
      List<String> openblas = peers.stream().filter(peer -> peer.startsWith(PYTORCH_OPENBLAS)).toList();
      all.addAll(ask("openblas", benchmark, workload, openblas, threads));
      if (peers.contains(DL4J) && workload instanceof LayerWorkload layer && layer.cell() != Cell.GRU) {
        all.addAll(ask("dl4j", benchmark, layer.fromZero(), List.of(DL4J), threads));
      }
    }
    return all;
  }

  /** Measures this library alone, on one thread, for a fifth of a second. */
  List<Measurement> measureBriefly(Class<? extends Contest> benchmark, Workload workload) throws IOException {
    return ask(
        "mkl",
        new Request(
            benchmark.getName(), workload.toString(), 1, List.of(UNROLL), BRIEF_ITERATIONS, BRIEF_MILLISECONDS));
  }

  private List<Measurement> ask(
      String worker, Class<? extends Contest> benchmark, Workload workload, List<String> contenders, int threads)
      throws IOException {
    if (contenders.isEmpty()) {
      return List.of();
    }
    int iterations = quick ? 3 : 5;
    int milliseconds = quick ? 30 : 100;
    return ask(
        worker, new Request(benchmark.getName(), workload.toString(), threads, contenders, iterations, milliseconds));
  }

  /** If the process ends meanwhile, the contender that it was at has failed, and another one measures the rest. */
  private List<Measurement> ask(String worker, Request request) throws IOException {
    List<String> contenders = request.contenders();
    List<Measurement> found = new ArrayList<>();
    while (found.size() < contenders.size()) {
      WorkerProcess process = worker(worker);
      found.addAll(process.measure(request.of(contenders.subList(found.size(), contenders.size()))));
      if (process.hasEnded()) {
        started.remove(worker);
        failures++;
        if (found.size() < contenders.size()) {
          found.add(new Measurement(contenders.get(found.size()), Double.NaN, Double.NaN, process.ending()));
        }
      }
    }
    return found;
  }

  private WorkerProcess worker(String name) throws IOException {
    WorkerProcess process = started.get(name);
    if (process == null) {
      String file = failures == 0 ? name : name + "-" + failures; // what the one that ended wrote stays
      process = new WorkerProcess(name, avx2, results.resolve(file + ".json"));
      started.put(name, process);
    }
    return process;
  }

  /** Ends them after they have written their results. */
  @Override
  public void close() {
    started.values().forEach(WorkerProcess::close);
  }
}
