package dev.unroll.train;

import dev.unroll.internal.ArrayNative;
import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.MemorySource;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.SequenceLayout;
import java.util.function.ToDoubleFunction;

/** Sums over the steps of a batch, which do not depend on the order of the sequences. */
final class StepSums {
  private final Lease lease;
  private final MemorySource source;
  private final SequenceLayout layout;

  /** Sums over the steps of a batch, with memory that the lease keeps. */
  StepSums(Lease lease, PackedSequence batch) {
    this.lease = lease;
    source = batch.source();
    layout = batch.layout();
  }

  /** The sum of one float for every step. */
  double sum(long values) {
    long order = layout.packed().sumOrder(lease, source, values, 1, 0, 0);
    return ArrayNative.sum(values, order, layout.rows());
  }

  /** What the sum of the losses is divided by; 1 for a batch without steps. */
  double divisor(Divisor divisor, long weights) {
    return layout.rows() == 0 ? 1 : divisor.of(layout, () -> weights == 0 ? layout.rows() : sum(weights));
  }

  /** The loss that {@code loss} computes while it fills the gradient of a batch. */
  static LossGradient withGradient(PackedSequence batch, ToDoubleFunction<PackedSequence> loss) {
    try (Lease lease = new Lease()) {
      PackedSequence gradient = lease.result(batch.like());
      return lease.done(new LossGradient(loss.applyAsDouble(gradient), gradient));
    }
  }

  static void checkWeights(PackedSequence weights, String owner, SequenceLayout layout) {
    Checks.equal("features of weights", Checks.notNull("weights", weights).features(), 1);
    weights.layout().requireSame("weights", owner, layout);
  }
}
