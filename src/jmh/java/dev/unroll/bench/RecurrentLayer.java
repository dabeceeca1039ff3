package dev.unroll.bench;

import dev.unroll.bench.work.LayerWorkload;
import dev.unroll.bench.work.Workload;
import org.openjdk.jmh.annotations.Benchmark;

/** How long does one layer take, forward and in training, beside each peer? */
public class RecurrentLayer extends Contest {
  @Override
  Workload parse(String text) {
    return LayerWorkload.parse(text);
  }

  @Benchmark
  public void pass() {
    run();
  }
}
