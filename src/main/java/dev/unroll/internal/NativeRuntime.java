package dev.unroll.internal;

import java.util.List;
import java.util.stream.IntStream;

/** Loads and configures the native library before its first use. */
public final class NativeRuntime {
  /** System property that forces an instruction set. */
  public static final String ISA_PROPERTY = "unroll.isa";

  /** The largest size of the thread pool. */
  public static final int MOST_THREADS = 1024;

  private static volatile boolean configured;

  private NativeRuntime() {}

  /**
   * Makes sure that the library is loaded and configured. Later calls cost next to nothing.
   *
   * @throws UnsatisfiedLinkError if it cannot be loaded
   * @throws IllegalStateException if {@value #ISA_PROPERTY} names an instruction set that cannot be used here
   */
  public static void start() {
    NativeLibrary.load();
    if (!configured) {
      configureOnce();
    }
  }

  /** A wrong property is so for every caller. */
  private static synchronized void configureOnce() {
    if (configured) {
      return;
    }
    String isa = System.getProperty(ISA_PROPERTY);
    if (isa != null && !isa.isEmpty() && !RuntimeNative.selectInstructionSet(isa)) {
      String expected = ": expected one of " + supportedInstructionSets() + " on this processor";
      throw new IllegalStateException("-D" + ISA_PROPERTY + "=" + isa + expected);
    }
    try {
      RuntimeNative.setThreads(Math.min(Runtime.getRuntime().availableProcessors(), MOST_THREADS));
    } catch (IllegalStateException e) {
      RuntimeNative.setThreads(1); // the operating system gives no more: the calling thread does all the work
    }
    configured = true;
  }

  /**
   * Names the instruction set in use.
   *
   * @return generic, avx2 or avx512
   */
  public static String instructionSet() {
    start();
    return RuntimeNative.instructionSet();
  }

  /**
   * Lists what this processor can run.
   *
   * @return names, slowest first
   */
  public static List<String> supportedInstructionSets() {
    NativeLibrary.load();
    return IntStream.range(0, RuntimeNative.supportedInstructionSets())
        .mapToObj(RuntimeNative::supportedInstructionSet)
        .toList();
  }

  /**
   * Returns the size of the thread pool.
   *
   * @return threads, the calling one included
   */
  public static int threads() {
    start();
    return RuntimeNative.threads();
  }

  /**
   * Changes the size of the thread pool.
   *
   * @param threads the calling one included, at least 1
   */
  public static void setThreads(int threads) {
    start();
    RuntimeNative.setThreads(threads);
  }
}
