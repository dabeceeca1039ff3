package dev.unroll.layer;

import dev.unroll.internal.Lease;
import dev.unroll.internal.MemoryNative;
import dev.unroll.internal.MemorySource;

/** Runs a kernel from array to array, by way of native memory: for steps that are in no batch. */
final class PlainArrays {
  private PlainArrays() {}

  /** Computes what is at an address out of what is at another one. */
  interface Kernel {
    void run(long x, long y);
  }

  static void map(float[] input, float[] output, Kernel kernel) {
    try (Lease lease = new Lease()) {
      long x = lease.temporary(MemorySource.SYSTEM, (long) input.length * Float.BYTES);
      long y = lease.temporary(MemorySource.SYSTEM, (long) output.length * Float.BYTES);
      MemoryNative.putFloats(x, input, 0, input.length);
      kernel.run(x, y);
      MemoryNative.getFloats(y, output, 0, output.length);
    }
  }
}
