package dev.unroll.internal;

import java.util.concurrent.atomic.AtomicLong;

/** The native allocator, with a count of what is allocated. */
public final class NativeHeap {
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
    NativeRuntime.start();
    long address = MemoryNative.allocate(bytes);
    if (address == 0) {
      System.gc(); // forgotten blocks are freed by the Cleaner, which only a collection wakes
      address = MemoryNative.allocate(bytes);
    }
    if (address == 0) {
      throw new OutOfMemoryError("no native memory for " + bytes + " bytes, beside " + LIVE_BYTES + " in use");
    }
    LIVE_BYTES.addAndGet(bytes);
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
