package dev.unroll.bench;

import dev.unroll.bench.work.Subject;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;

/**
 * Runs a subject until the virtual machine has nothing more to compile. The first of its kind in a process is slow for
 * half a second to two, for as long as the compiler works on what it calls; a warm-up of fixed length would sometimes
 * end before.
 */
final class CompilerWait {
  private static final long TURN = TimeUnit.MILLISECONDS.toNanos(10);
  private static final long QUIET = TimeUnit.MILLISECONDS.toNanos(300); // longer than one compilation takes
  private static final long MOST = TimeUnit.SECONDS.toNanos(5);

  /** In a turn; with fewer a call is so long that its Java code does not matter. */
  private static final int MANY_CALLS = 10;

  private CompilerWait() {}

  /** {@code computesInJava} says that long calls are worth it too. */
  static void warmUp(Subject subject, boolean computesInJava) {
    CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
    long start = System.nanoTime();
    long changed = start;
    long compiled = -1;
    for (long now = start; now - changed < QUIET && now - start < MOST; now = System.nanoTime()) {
      if (callsOfOneTurn(subject) < MANY_CALLS && !computesInJava) {
        return;
      }
      long total = compiler.getTotalCompilationTime();
      changed = total == compiled ? changed : now;
      compiled = total;
    }
  }

  private static int callsOfOneTurn(Subject subject) {
    int calls = 0;
    for (long start = System.nanoTime(); System.nanoTime() - start < TURN; calls++) {
      subject.run();
    }
    return calls;
  }
}
