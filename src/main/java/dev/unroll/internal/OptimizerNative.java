package dev.unroll.internal;

/**
 * One update of one parameter; the contracts are those of {@code kernels.h}. Nothing is checked.
 */
public final class OptimizerNative {
  private OptimizerNative() {}

  public static native void sgd(
      float learningRate,
      float momentum,
      float gradientScale,
      long size,
      long gradient,
      long momentumBuffer,
      long weights);

  public static native void adam(
      float stepSize,
      float beta1,
      float oneMinusBeta1,
      float beta2,
      float oneMinusBeta2,
      float varianceCorrection,
      float epsilon,
      float gradientScale,
      long size,
      long gradient,
      long mean,
      long variance,
      long weights);
}
