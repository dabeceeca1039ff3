package dev.unroll.internal;

/**
 * Softmax along rows, and cross-entropy; the contracts are those of {@code kernels.h}. Nothing is checked.
 */
public final class SoftmaxNative {
  private SoftmaxNative() {}

  public static native void softmax(long rows, long columns, long x, float scale, long y);

  public static native void logSoftmax(long rows, long columns, long x, float scale, long y);

  public static native void softmaxBackward(long rows, long columns, long y, long dY, float scale, long dX);

  public static native void crossEntropy(
      long rows,
      long columns,
      long logits,
      long labels,
      long weights,
      float smoothing,
      float gradientScale,
      long losses,
      long dLogits);
}
