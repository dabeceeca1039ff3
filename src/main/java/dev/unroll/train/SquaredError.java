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
    return run(outputs, targets, null);
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
    try (Lease lease = new Lease()) {
      PackedSequence gradient =
          lease.result(PackedSequence.allocate(outputs.source(), outputs.layout(), outputs.features()));
      return lease.done(new LossGradient(run(outputs, targets, gradient), gradient));
    }
  }

  private static void check(PackedSequence outputs, PackedSequence targets) {
    Checks.notNull("outputs", outputs);
    Checks.equal("features of targets", Checks.notNull("targets", targets).features(), outputs.features());
    targets.layout().requireSame("targets", "outputs", outputs.layout());
  }

  private double run(PackedSequence outputs, PackedSequence targets, PackedSequence gradient) {
    int rows = outputs.layout().rows();
    double count = rows == 0 ? 1 : divisor.of(outputs.layout()) * outputs.features();
    try (Lease lease = new Lease()) {
      long dX = gradient == null ? 0 : gradient.address(lease);
      long x = outputs.address(lease);
      long y = targets.address(lease);
      long values = lease.temporary(outputs.source(), (long) rows * Float.BYTES);
      ArrayNative.squaredError(rows, outputs.features(), x, y, (float) (2 / count), values, dX);
      long order = outputs.layout().packed().sumOrder(lease, outputs.source(), values, 1, 0, 0);
      return ArrayNative.sum(values, order, rows) / count;
    }
  }
}
