package dev.unroll.bench;

import dev.unroll.bench.work.CharacterModelWorkload;
import dev.unroll.bench.work.Workload;
import org.openjdk.jmh.annotations.Benchmark;

/** How long does a training step of a character model take, beside PyTorch? */
public class CharacterModel extends Contest {
  @Override
  Workload parse(String text) {
    return new CharacterModelWorkload();
  }

  @Benchmark
  public void step() {
    run();
  }
}
