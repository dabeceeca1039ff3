package dev.unroll.bench.work;

import java.util.Map;

/** A workload on one library, prepared as far as its users can prepare it. One thread uses it from first to last. */
public interface Subject extends AutoCloseable {
  /** Does the work once; this is what is timed. */
  void run();

  /** Does the work once, from gradients of zero, and returns what came out, by the names of the workload. */
  Map<String, float[]> results();

  /** Frees the memory. */
  @Override
  void close();
}
