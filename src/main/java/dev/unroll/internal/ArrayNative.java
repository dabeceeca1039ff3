package dev.unroll.internal;

/**
 * Whole arrays: sums, columns and random numbers; the contracts are those of {@code kernels.h}. Nothing is checked.
 */
public final class ArrayNative {
  private ArrayNative() {}

  public static native double sum(long x, long index, long size);

  public static native void elementLoss(
      int kind,
      float delta,
      long rows,
      long columns,
      long x,
      long target,
      long weights,
      long weightColumns,
      float gradientScale,
      long losses,
      long dX);

  public static native void rowSums(long rows, long columns, long x, long y);

  public static native void product(long a, long b, long y, long size);

  public static native void uniform(long seed, long purpose, long first, long size, float low, float high, long y);

  public static native void scaledSum(long x, float factor, long z, long y, long size);

  public static native void copyColumns(long rows, long columns, long x, long ldx, long y, long ldy);
}
