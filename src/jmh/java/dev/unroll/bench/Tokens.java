package dev.unroll.bench;

import dev.unroll.bench.work.TokenWorkload;
import dev.unroll.bench.work.Workload;
import org.openjdk.jmh.annotations.Benchmark;

/** What does it save to compute once for each distinct token what depends on the token alone? */
public class Tokens extends Contest {
  @Override
  Workload parse(String text) {
    return TokenWorkload.parse(text);
  }

  @Benchmark
  public void pass() {
    run();
  }
}
