package dev.unroll.bench;

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
