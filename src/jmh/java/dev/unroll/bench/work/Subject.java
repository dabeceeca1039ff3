package dev.unroll.bench.work;

import java.util.Map;
import java.util.Set;

/** A workload on one library, prepared as far as its users can prepare it. One thread uses it from first to last. */
public interface Subject extends AutoCloseable {
  /** Does the work once; this is what is timed. */
  void run();

  /** Does the work once, from gradients of zero, and returns what came out, by the names of the workload. */
  Map<String, float[]> results();

  /** The names of the workload's results that this library does not compute. */
  default Set<String> lacking() {
    return Set.of();
  }

  /** Frees the memory. */
  @Override
  void close();
}
