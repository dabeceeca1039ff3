package dev.unroll.bench;

import static dev.unroll.bench.peers.Libraries.*;

import dev.unroll.bench.work.LayerWorkload;
import dev.unroll.bench.work.Workload;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The processes that measure: one with MKL under PyTorch and with all other libraries, one with OpenBLAS, one of DL4J.
 * They start when they are first needed, live through the whole run and compute in turns, so that all contenders of a
 * workload are measured right after each other.
 */
final class Workers implements AutoCloseable {
  /** Why a contender is not timed that runs on one thread. */
  static final String ONLY_ONE_THREAD = "measured with one thread only";

  private final Options options;
  private final Map<String, WorkerProcess> started = new LinkedHashMap<>();
  private int failures;

  /** Starts none yet. */
  Workers(Options options) {
    this.options = options;
  }

  /** Measures this library, some peers and, if there is one, the older jar on each of the workloads. */
  void measure(
      Class<? extends Contest> benchmark,
      List<? extends Workload> workloads,
      List<String> peers,
      int threads,
      Scores scores)
      throws IOException {
    List<String> others = new ArrayList<>(peers);
    others.addAll(options.before == null ? List.of() : List.of(BEFORE));
    measure(benchmark, workloads, others, threads, options.quick, scores);
  }

  /** Measures this library alone, on one thread, for some tenths of a second. */
  void measureBriefly(Class<? extends Contest> benchmark, List<? extends Workload> workloads, Scores scores)
      throws IOException {
    measure(benchmark, workloads, List.of(), 1, true, scores);
  }

  private void measure(
      Class<? extends Contest> benchmark,
      List<? extends Workload> workloads,
      List<String> others,
      int threads,
      boolean quick,
      Scores scores)
      throws IOException {
    // One round after the other: others on the machine are busy for seconds rather than for one line.
    for (int round = 0; round < options.rounds(); round++) {
      for (Workload workload : workloads) {
        List<String> contenders = new ArrayList<>(List.of(UNROLL));
        contenders.addAll(others);
        Collections.rotate(contenders, -round); // what the one before leaves in the caches is not always the same
        contenders.removeIf(contender -> scores.isRefused(workload, threads, contender));
        for (Measurement found : measure(benchmark, workload, contenders, threads, Timing.of(workload, quick))) {
          scores.add(workload, threads, found);
        }
      }
    }
  }

  /** Asks the process of each contender. */
  private List<Measurement> measure(
      Class<? extends Contest> benchmark,
      Workload workload,
      List<String> contenders,
      int threads,
      Timing timing)
      throws IOException {
    List<String> openblas = new ArrayList<>(contenders);
    openblas.removeIf(contender -> !contender.startsWith(PYTORCH_OPENBLAS));
    List<String> mkl = new ArrayList<>(contenders);
    mkl.removeIf(contender -> openblas.contains(contender) || List.of(DL4J, BEFORE).contains(contender));
    Request request = new Request(benchmark.getName(), workload.toString(), threads, mkl, timing);
    List<Measurement> all = new ArrayList<>(ask("mkl", request));
    if (contenders.contains(BEFORE)) {
      all.addAll(ask(BEFORE, request.of(List.of(BEFORE))));
    }
    // With two threads OpenBLAS' and PyTorch's get into each other's way: a call may take a hundred times as long.
    if (threads == 1) {
      all.addAll(ask("openblas", request.of(openblas)));
      if (contenders.contains(DL4J) && workload instanceof LayerWorkload layer) {
        String fromZero = layer.fromZero().toString();
        all.addAll(ask("dl4j", new Request(benchmark.getName(), fromZero, threads, List.of(DL4J), timing)));
      }
    } else if (!options.threads.contains(1)) {
      openblas.forEach(contender -> all.add(onlyOneThread(contender)));
      if (contenders.contains(DL4J)) {
        all.add(onlyOneThread(DL4J));
      }
    }
    return all;
  }

  private static Measurement onlyOneThread(String contender) {
    return new Measurement(contender, Double.NaN, Double.NaN, ONLY_ONE_THREAD);
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
      Path json = options.results.resolve(file + ".json");
      boolean older = name.equals(BEFORE);
      process = new WorkerProcess(older ? "mkl" : name, options.avx2, older ? options.before : null, json);
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
