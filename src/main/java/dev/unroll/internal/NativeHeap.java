package dev.unroll.internal;

import java.util.concurrent.atomic.AtomicLong;

/** The native allocator, with a count of what is allocated. */
public final class NativeHeap {
  /** Waits for forgotten memory, each twice as long as the one before, from 1 ms: half a second in all. */
  private static final int WAITS = 9;

  private static final AtomicLong LIVE_BYTES = new AtomicLong();

  private NativeHeap() {}

  /**
   * Allocates zeroed memory at a multiple of 64 bytes.
   *
   * @param bytes its size
   * @return its address
   * @throws OutOfMemoryError if there is none; the message says how much was asked for
   */
  static long allocate(long bytes) {
    long address = allocateAtOnce(bytes);
    if (address == 0) {
      address = LIVE_BYTES.get() > 0 ? allocateAfterCollection(bytes) : 0;
      if (address == 0) {
        throw new OutOfMemoryError("no native memory for " + bytes + " bytes, beside " + LIVE_BYTES + " in use");
      }
      LIVE_BYTES.addAndGet(bytes);
    }
    return address;
  }

  /**
   * Allocates likewise, without waiting for memory that nobody needs any more.
   *
   * @param bytes its size
   * @return its address, or 0 if there is none
   */
  static long allocateAtOnce(long bytes) {
    NativeRuntime.start();
    long address = MemoryNative.allocate(bytes);
    if (address != 0) {
      LIVE_BYTES.addAndGet(bytes);
    }
    return address;
  }

  /** Forgotten blocks are freed by the Cleaner, which only a collection wakes, and on a thread of its own. */
  private static long allocateAfterCollection(long bytes) {
    System.gc();
    long address = MemoryNative.allocate(bytes);
    try {
      for (int wait = 0; address == 0 && wait < WAITS; wait++) {
        Thread.sleep(1L << wait);
        address = MemoryNative.allocate(bytes);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return address;
  }

  /**
   * Frees memory.
   *
   * @param address what {@link #allocate} returned
   * @param bytes what it was asked for
   */
  static void free(long address, long bytes) {
    MemoryNative.release(address);
    LIVE_BYTES.addAndGet(-bytes);
  }

  /**
   * Counts the native memory that Java objects hold.
   *
   * @return bytes allocated and not yet freed
   */
  public static long liveBytes() {
    return LIVE_BYTES.get();
  }
}
