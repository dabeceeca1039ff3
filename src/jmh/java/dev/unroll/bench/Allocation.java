package dev.unroll.bench;

import com.sun.management.ThreadMXBean;
import dev.unroll.bench.work.Subject;
import java.lang.management.ManagementFactory;

/** What calls allocate on the Java heap, by the virtual machine's own count, which JMH's work is not part of. */
final class Allocation {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int CALLS = 1000;

  private Allocation() {}

  /** Bytes that one of many calls on this thread allocates. */
  static double ofOneCall(Subject subject) {
    THREADS.getCurrentThreadAllocatedBytes(); // the first time it allocates itself
    long before = THREADS.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < CALLS; i++) {
      subject.run();
    }
    return (double) (THREADS.getCurrentThreadAllocatedBytes() - before) / CALLS;
  }
}
