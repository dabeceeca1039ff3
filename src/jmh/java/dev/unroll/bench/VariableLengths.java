package dev.unroll.bench;

import dev.unroll.bench.work.LayerWorkload;
import dev.unroll.bench.work.Workload;
import org.openjdk.jmh.annotations.Benchmark;

/** What do sequences of different lengths cost, beside each peer and beside equal lengths? */
public class VariableLengths extends Contest {
  @Override
  Workload parse(String text) {
    return LayerWorkload.parse(text);
  }

  @Benchmark
  public void pass() {
    run();
  }
}
