package dev.unroll.layer;

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
    BufferPlan plan = new BufferPlan();
    plan.add(1, input.length);
    long toOutput = plan.add(1, output.length);
    long x = MemorySource.SYSTEM.take(plan.bytes());
    try {
      MemoryNative.putFloats(x, input, 0, input.length);
      kernel.run(x, x + toOutput);
      MemoryNative.getFloats(x + toOutput, output, 0, output.length);
    } finally {
      MemorySource.SYSTEM.giveBack(x, plan.bytes());
    }
  }
}
