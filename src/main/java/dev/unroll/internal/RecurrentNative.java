package dev.unroll.internal;

/**
 * A stack of recurrent layers. The arrays hold the fields of {@code RecurrentCall}, {@code RecurrentLayer} and
 * {@code RecurrentGradient} in {@code kernels.h}, eight bytes each; {@code offsets} and {@code order} are those of
 * {@code Steps}. Nothing is checked.
 */
public final class RecurrentNative {
  private RecurrentNative() {}

  static native void forward(long[] call, long[] layers, int[] offsets, int[] order);

  static native void prepare(long[] call, long[] layers, int[] offsets, int[] order, long to);

  /**
   * Copies an input, runs the pass that was described, and copies an output.
   *
   * @param description what {@link PackedOrder#prepare} wrote
   * @param input all of it is copied
   * @param x where to
   * @param output all of it is filled
   * @param y where from
   */
  public static native void step(long description, float[] input, long x, float[] output, long y);

  static native void backward(long[] call, long[] layers, long[] gradients, int[] offsets, int[] order);
}
