package dev.unroll.internal;

/**
 * A stack of recurrent layers. The arrays hold the fields of {@code RecurrentCall}, {@code RecurrentLayer} and
 * {@code RecurrentGradient} in {@code kernels.h}, eight bytes each; {@code offsets} and {@code order} are those of
 * {@code Steps}. Nothing is checked.
 */
public final class RecurrentNative {
  private RecurrentNative() {}

  static native void forward(long[] call, long[] layers, int[] offsets, int[] order);

  static native void backward(long[] call, long[] layers, long[] gradients, int[] offsets, int[] order);
}
