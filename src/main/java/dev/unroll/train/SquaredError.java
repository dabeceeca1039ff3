package dev.unroll.train;

/** {@code (y - target)^2} of every element, PyTorch's {@code MSELoss}. */
public final class SquaredError extends ElementLoss {
  /**
   * Makes a loss.
   *
   * @param divisor what the sum is divided by
   * @throws NullPointerException if null
   */
  public SquaredError(Divisor divisor) {
    super(Kind.SQUARED, 0, divisor);
  }
}
