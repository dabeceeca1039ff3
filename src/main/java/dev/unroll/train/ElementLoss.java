package dev.unroll.train;

import dev.unroll.internal.ArrayNative;
import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.sequence.PackedSequence;

/**
 * A loss that compares every element of what was computed with a target of its own: the sum over real steps of the mean
 * over features, divided as the {@link Divisor} says. With {@link Divisor#MEAN_OVER_STEPS} that is the mean over all
 * elements, PyTorch's {@code reduction="mean"}.
 *
 * <p>Weights are those of steps, one feature, or those of elements, as many features as there are outputs. What has
 * weight 0 is left out, whatever its target is, NaN for example where a value is missing:
 *
 * <pre>{@code
 * // present is 1 where there is a target, 0 where it is NaN: the mean over those that there are
 * new SquaredError(Divisor.MEAN_OVER_WEIGHTS).gradient(outputs, targets, present);
 * }</pre>
 *
 * <p>Where a batch may have no target at all, whose mean is NaN, take {@link Divisor#SUM_OVER_STEPS} and {@link
 * Optimizer#step(double) scale the step}.
 */
public abstract sealed class ElementLoss permits SquaredError, AbsoluteError, Huber, BinaryCrossEntropy {
  /** In the order of ElementLossKind in kernels.h. */
  enum Kind {
    SQUARED,
    ABSOLUTE,
    HUBER,
    BINARY_CROSS_ENTROPY
  }

  private final Kind kind;
  private final float delta;
  private final Divisor divisor;

  /** Delta is that of {@link Huber}. */
  ElementLoss(Kind kind, float delta, Divisor divisor) {
    this.kind = kind;
    this.delta = delta;
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
  public final double loss(PackedSequence outputs, PackedSequence targets) {
    check(outputs, targets);
    return run(outputs, targets, null, null);
  }

  /**
   * Computes the loss of weighted steps or elements.
   *
   * @param outputs what was computed
   * @param targets what is right, shaped alike
   * @param weights what the loss of each step, or of each element, is multiplied by: one feature, or as many as the
   *     outputs have, laid out as they are
   * @return the loss; 0 for a batch without steps
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the layouts or the feature counts differ; the message names both
   * @throws IllegalStateException if an argument is closed
   */
  public final double loss(PackedSequence outputs, PackedSequence targets, PackedSequence weights) {
    check(outputs, targets);
    checkWeights(weights, outputs);
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
  public final LossGradient gradient(PackedSequence outputs, PackedSequence targets) {
    check(outputs, targets);
    return StepSums.withGradient(outputs, gradient -> run(outputs, targets, null, gradient));
  }

  /**
   * Computes the loss of weighted steps or elements and its gradient.
   *
   * @param outputs what was computed
   * @param targets what is right, shaped alike
   * @param weights what the loss of each step, or of each element, is multiplied by: one feature, or as many as the
   *     outputs have, laid out as they are
   * @return the loss and dE/d outputs; close it to free its memory
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the layouts or the feature counts differ; the message names both
   * @throws IllegalStateException if an argument is closed
   */
  public final LossGradient gradient(PackedSequence outputs, PackedSequence targets, PackedSequence weights) {
    check(outputs, targets);
    checkWeights(weights, outputs);
    return StepSums.withGradient(outputs, gradient -> run(outputs, targets, weights, gradient));
  }

  /**
   * Computes the loss of every step by itself, the mean over its features; the divisor has no part in it.
   *
   * @param outputs what was computed
   * @param targets what is right, shaped alike
   * @return one feature; close it to free its memory
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the layouts or the feature counts differ; the message names both
   * @throws IllegalStateException if an argument is closed
   */
  public final PackedSequence ofEachStep(PackedSequence outputs, PackedSequence targets) {
    check(outputs, targets);
    int rows = outputs.layout().rows();
    int features = outputs.features();
    try (Lease lease = new Lease()) {
      long x = outputs.address(lease);
      long y = targets.address(lease);
      PackedSequence losses = lease.result(PackedSequence.allocate(outputs.source(), outputs.layout(), 1));
      long values = losses.address(lease);
      ArrayNative.elementLoss(kind.ordinal(), delta, rows, features, x, y, 0, 0, 1, values, 0);
      ArrayNative.scaledSum(values, 1f / features, 0, values, rows);
      return lease.done(losses);
    }
  }

  private static void check(PackedSequence outputs, PackedSequence targets) {
    Checks.notNull("outputs", outputs);
    Checks.equal("features of targets", Checks.notNull("targets", targets).features(), outputs.features());
    targets.layout().requireSame("targets", "outputs", outputs.layout());
  }

  private static void checkWeights(PackedSequence weights, PackedSequence outputs) {
    int features = Checks.notNull("weights", weights).features();
    boolean fits = features == 1 || features == outputs.features();
    Checks.require(fits, "features of weights", features, "1, or those of outputs: " + outputs.features());
    weights.layout().requireSame("weights", "outputs", outputs.layout());
  }

  /** The loss; weights and gradient may be null. */
  private double run(PackedSequence outputs, PackedSequence targets, PackedSequence weights, PackedSequence gradient) {
    int rows = outputs.layout().rows();
    int features = outputs.features();
    int weightColumns = weights == null ? 0 : weights.features();
    try (Lease lease = new Lease()) {
      StepSums sums = new StepSums(lease, outputs);
      long dX = gradient == null ? 0 : gradient.address(lease);
      long x = outputs.address(lease);
      long y = targets.address(lease);
      long w = weights == null ? 0 : weights.address(lease);
      long values = lease.temporary(outputs.source(), (long) rows * Float.BYTES);
      double count; // of elements
      if (divisor == Divisor.MEAN_OVER_WEIGHTS && weightColumns > 1) {
        ArrayNative.rowSums(rows, features, w, values);
        count = sums.divisor(divisor, values);
      } else {
        count = sums.divisor(divisor, w) * features;
      }
      ArrayNative.elementLoss(
          kind.ordinal(), delta, rows, features, x, y, w, weightColumns, (float) (1 / count), values, dX);
      return sums.sum(values) / count;
    }
  }
}
