package dev.unroll.bench;

import dev.unroll.bench.work.LayerWorkload;
import dev.unroll.bench.work.Workload;
import org.openjdk.jmh.annotations.Benchmark;

/** How long does one event of a stream take, and what does it allocate? */
public class StreamingStep extends Contest {
  @Override
  Workload parse(String text) {
    return LayerWorkload.parse(text);
  }

  @Benchmark
  public void step() {
    run();
  }
}
