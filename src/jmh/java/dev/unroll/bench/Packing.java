package dev.unroll.bench;

import dev.unroll.bench.work.PackingWorkload;
import dev.unroll.bench.work.Workload;
import org.openjdk.jmh.annotations.Benchmark;

/** How long does it take to pack a batch of variable lengths and to unpack it again? */
public class Packing extends Contest {
  @Override
  Workload parse(String text) {
    return PackingWorkload.parse(text);
  }

  @Benchmark
  public void packAndUnpack() {
    run();
  }
}
