package dev.unroll.internal;

/**
 * Matrix products over dense row-major matrices and weights, packed or plain; the contracts are those of {@code kernels.h}.
 * Nothing is checked.
 */
public final class MatrixNative {
  private MatrixNative() {}

  public static native void packPanels(
      long w, long ldw, long k, long columns, long groups, boolean transposed, long panels);

  public static native void matmul(
      long rows, long k, long columns, long a, long w, int form, long bias, boolean accumulate, long c);

  public static native void matmulTransposed(
      long rows, long outputs, long columns, long a, long b, long index, long c, long sums);
}
