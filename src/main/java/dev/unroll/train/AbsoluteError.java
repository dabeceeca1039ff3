package dev.unroll.train;

/** {@code |y - target|} of every element, PyTorch's {@code L1Loss}; where both are equal the derivative is 0. */
public final class AbsoluteError extends ElementLoss {
  /**
   * Makes a loss.
   *
   * @param divisor what the sum is divided by
   * @throws NullPointerException if null
   */
  public AbsoluteError(Divisor divisor) {
    super(Kind.ABSOLUTE, 0, divisor);
  }
}
