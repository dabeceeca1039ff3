package dev.unroll.peers;

/** How far a tensor is from the expected one: the largest difference of two elements over the largest expected one. */
public record Difference(String tensor, double relative) {
  /** Tensors of smaller elements are compared as if this were their largest. */
  private static final double SMALLEST_SCALE = 1e-3;

  /** Compares; where the sizes differ or either side is no finite number, the difference is infinite. */
  public static Difference of(String tensor, float[] actual, float[] expected) {
    if (actual == null || expected == null || actual.length != expected.length) {
      return new Difference(tensor, Double.POSITIVE_INFINITY);
    }
    double largest = 0;
    double scale = SMALLEST_SCALE;
    for (int i = 0; i < expected.length; i++) {
      double difference = Math.abs((double) actual[i] - expected[i]);
      largest = Math.max(largest, Double.isFinite(difference) ? difference : Double.POSITIVE_INFINITY);
      scale = Math.max(scale, Math.abs(expected[i]));
    }
    return new Difference(tensor, largest / scale);
  }

  /** Whether the tensor is a gradient. */
  public boolean isGradient() {
    return tensor.startsWith(RecurrentCase.GRADIENT);
  }
}
