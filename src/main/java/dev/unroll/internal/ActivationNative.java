package dev.unroll.internal;

/** Activations element by element; the kinds and contracts are those of {@code kernels.h}. Nothing is checked. */
public final class ActivationNative {
  private ActivationNative() {}

  public static native void forward(int kind, long x, long y, long size);

  public static native void backward(int kind, long y, long dY, long dX, long size);
}
