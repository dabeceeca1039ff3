package dev.unroll.layer;

/** Lays several arrays out in one block of memory, each at a multiple of 64 bytes. */
final class BufferPlan {
  private static final long ALIGNMENT = 64;

  private long bytes;

  /** Adds an array of 4-byte elements and returns the bytes before it. */
  long add(long rows, long columns) {
    long start = bytes;
    long size = Math.multiplyExact(Math.multiplyExact(rows, columns), (long) Float.BYTES);
    bytes = Math.addExact(start, (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    return start;
  }

  /** Adds an array if it is needed. */
  long addIf(boolean needed, long rows, long columns) {
    return needed ? add(rows, columns) : 0;
  }

  long bytes() {
    return bytes;
  }
}
