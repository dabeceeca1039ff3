package dev.unroll.train;

import dev.unroll.internal.ArrayNative;
import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.sequence.PackedSequence;

/**
 * Squared error against targets: the sum over real steps of the mean over features of {@code (y - target)^2}, divided
 * as the {@link Divisor} says. With {@link Divisor#MEAN_OVER_STEPS} it is PyTorch's {@code MSELoss}.
 */
public final class SquaredError {
  private final Divisor divisor;

  /**
   * Makes a loss.
   *
   * @param divisor what the sum is divided by
   * @throws NullPointerException if null
   */
  public SquaredError(Divisor divisor) {
    this.divisor = Checks.notNull("divisor", divisor);
  }

  /**
   * Computes the loss.
   *
   * @param outputs what was computed
   * @param targets what is right, shaped alike
   * @return the loss; 0 for a batch without steps
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the layouts or the feature counts differ; the message names both
   * @throws IllegalStateException if an argument is closed
   */
  public double loss(PackedSequence outputs, PackedSequence targets) {
    check(outputs, targets);
    return run(outputs, targets, null, null);
  }

  /**
   * Computes the loss of weighted steps.
   *
   * @param outputs what was computed
   * @param targets what is right, shaped alike
   * @param weights one feature, what the loss of each step is multiplied by, laid out as the outputs
   * @return the loss; 0 for a batch without steps
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the layouts or the feature counts differ, or that of the weights from 1; the
   *     message names both
   * @throws IllegalStateException if an argument is closed
   */
  public double loss(PackedSequence outputs, PackedSequence targets, PackedSequence weights) {
    check(outputs, targets);
    StepSums.checkWeights(weights, "outputs", outputs.layout());
    return run(outputs, targets, weights, null);
  }

  /**
   * Computes the loss and its gradient.
   *
   * @param outputs what was computed
   * @param targets what is right, shaped alike
   * @return the loss and dE/d outputs; close it to free its memory
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the layouts or the feature counts differ; the message names both
   * @throws IllegalStateException if an argument is closed
   */
  public LossGradient gradient(PackedSequence outputs, PackedSequence targets) {
    check(outputs, targets);
    return StepSums.withGradient(outputs, gradient -> run(outputs, targets, null, gradient));
  }

  /**
   * Computes the loss of weighted steps and its gradient.
   *
   * @param outputs what was computed
   * @param targets what is right, shaped alike
   * @param weights one feature, what the loss of each step is multiplied by, laid out as the outputs
   * @return the loss and dE/d outputs; close it to free its memory
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the layouts or the feature counts differ, or that of the weights from 1; the
   *     message names both
   * @throws IllegalStateException if an argument is closed
   */
  public LossGradient gradient(PackedSequence outputs, PackedSequence targets, PackedSequence weights) {
    check(outputs, targets);
    StepSums.checkWeights(weights, "outputs", outputs.layout());
    return StepSums.withGradient(outputs, gradient -> run(outputs, targets, weights, gradient));
  }

  private static void check(PackedSequence outputs, PackedSequence targets) {
    Checks.notNull("outputs", outputs);
    Checks.equal("features of targets", Checks.notNull("targets", targets).features(), outputs.features());
    targets.layout().requireSame("targets", "outputs", outputs.layout());
  }

  /** The loss; weights and gradient may be null. */
  private double run(PackedSequence outputs, PackedSequence targets, PackedSequence weights, PackedSequence gradient) {
    int rows = outputs.layout().rows();
    try (Lease lease = new Lease()) {
      StepSums sums = new StepSums(lease, outputs);
      long dX = gradient == null ? 0 : gradient.address(lease);
      long x = outputs.address(lease);
      long y = targets.address(lease);
      long w = weights == null ? 0 : weights.address(lease);
      double count = sums.divisor(divisor, w) * outputs.features();
      long values = lease.temporary(outputs.source(), (long) rows * Float.BYTES);
      ArrayNative.squaredError(rows, outputs.features(), x, y, w, (float) (2 / count), values, dX);
      return sums.sum(values) / count;
    }
  }
}
