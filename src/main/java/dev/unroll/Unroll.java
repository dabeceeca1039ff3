package dev.unroll;

import dev.unroll.internal.Checks;
import dev.unroll.internal.NativeHeap;
import dev.unroll.internal.NativeRuntime;
import java.util.List;

/**
 * The library as a whole: which instructions it uses, on how many threads, with how much memory.
 *
 * <p>System properties, read at the first use: {@code unroll.isa} forces an instruction set,
 * {@code unroll.library.path} names the native library's file, {@code unroll.temp.dir} the folder that the one in the
 * jar is extracted into. None of them changes a result: all instruction sets and thread counts give the same bits.
 */
public final class Unroll {
  private Unroll() {}

  /**
   * Names the instruction set in use.
   *
   * @return {@code generic}, {@code avx2} or {@code avx512}
   * @throws UnsatisfiedLinkError if the native library cannot be loaded; the message says why and what to do
   * @throws IllegalStateException if {@code unroll.isa} names one that this processor cannot run
   */
  public static String instructionSet() {
    return NativeRuntime.instructionSet();
  }

  /**
   * Lists the instruction sets that this processor can run.
   *
   * @return names, slowest first; the last is the default
   */
  public static List<String> supportedInstructionSets() {
    return NativeRuntime.supportedInstructionSets();
  }

  /**
   * Returns how many threads work on one call at most.
   *
   * @return threads, the calling one included; by default the processors that the JVM may use
   */
  public static int threads() {
    return NativeRuntime.threads();
  }

  /**
   * Sets how many threads work on one call at most. Results do not depend on it. Calls under way go on with fewer
   * threads until the new ones are there; this method waits for the pieces of work that the old ones have begun.
   *
   * @param threads the calling one included, 1 to 1024
   * @throws IllegalArgumentException if out of that range
   * @throws IllegalStateException if the operating system gives no more threads; the number is then unchanged
   */
  public static void threads(int threads) {
    Checks.require(threads >= 1 && threads <= NativeRuntime.MOST_THREADS, "threads", threads, "1 to 1024");
    NativeRuntime.setThreads(threads);
  }

  /**
   * Counts the off-heap memory that objects of this library hold, so that a leak is a number. Beside them every thread
   * that computes, the callers' and its own, has a work space of 1.75 MiB, of which it uses what its work needs, until it
   * ends.
   *
   * @return bytes allocated and not yet freed; what an open {@link Workspace} keeps for reuse counts as well
   */
  public static long liveBytes() {
    return NativeHeap.liveBytes();
  }
}
