package dev.unroll.bench;

import dev.unroll.bench.work.CrossEntropyWorkload;
import dev.unroll.bench.work.FunctionWorkload;
import dev.unroll.bench.work.Workload;
import org.openjdk.jmh.annotations.Benchmark;

/** How long do softmax, cross-entropy and the elementary functions take, beside each peer? */
public class Functions extends Contest {
  @Override
  Workload parse(String text) {
    return CrossEntropyWorkload.names(text) ? CrossEntropyWorkload.parse(text) : FunctionWorkload.parse(text);
  }

  @Benchmark
  public void call() {
    run();
  }
}
