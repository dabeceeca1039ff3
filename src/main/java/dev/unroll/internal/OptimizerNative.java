package dev.unroll.internal;

/**
 * One step of all parameters of an optimiser; the contracts are those of {@code kernels.h}. Parameters are given as its
 * {@code ParameterArrays}, one after the other. Nothing is checked.
 */
public final class OptimizerNative {
  /** Values of one parameter: size, and addresses of gradient, weights and two moments, or 0. */
  public static final int PARAMETER_LONGS = 5;

  private OptimizerNative() {}

  public static native double gradientNorm(long[] parameters);

  public static native void sgd(
      double scale, double clipNorm, float learningRate, float momentum, long[] parameters);

  public static native void adam(
      double scale,
      double clipNorm,
      float stepSize,
      float beta1,
      float oneMinusBeta1,
      float beta2,
      float oneMinusBeta2,
      float varianceCorrection,
      float epsilon,
      float keptWeight,
      long[] parameters);
}
