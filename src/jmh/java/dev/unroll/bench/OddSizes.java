package dev.unroll.bench;

import dev.unroll.bench.work.LayerWorkload;
import dev.unroll.bench.work.Workload;
import org.openjdk.jmh.annotations.Benchmark;

/** What do sizes cost that are no multiple of anything? */
public class OddSizes extends Contest {
  @Override
  Workload parse(String text) {
    return LayerWorkload.parse(text);
  }

  @Benchmark
  public void pass() {
    run();
  }
}
