package dev.unroll.train;

import dev.unroll.internal.Checks;

/**
 * Squared near the target and linear far from it, so that outliers pull less (P. J. Huber, "Robust estimation of a
 * location parameter", 1964; PyTorch's {@code HuberLoss}): of {@code d = y - target} it is {@code d^2 / 2} for
 * {@code |d| <= delta}, else {@code delta (|d| - delta / 2)}. PyTorch's {@code SmoothL1Loss} is this divided by delta.
 */
public final class Huber extends ElementLoss {
  /**
   * Makes a loss.
   *
   * @param divisor what the sum is divided by
   * @param delta from where it is linear, PyTorch's default being 1: a number from 1.2e-38 to 3.4e38
   * @throws NullPointerException if {@code divisor} is null
   * @throws IllegalArgumentException if {@code delta} is not such a number
   */
  public Huber(Divisor divisor, double delta) {
    super(Kind.HUBER, (float) Checks.positive("delta", delta), divisor);
  }
}
