package dev.unroll.layer;

import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.SequenceLayout;

/**
 * One step out of all real steps of each sequence, feature by feature: what a classifier takes that is to see the whole
 * sequence and not its end alone (Keras {@code GlobalAveragePooling1D}, {@code GlobalMaxPooling1D}). Padding never
 * counts; a sequence of length 0 gives 0. It has no parameters and no memory.
 *
 * <p>Sums are those of a matrix product: blocks of 256 steps, in ascending order. A sequence's result is the same
 * whatever else is in the batch.
 */
public enum Pooling {
  // In the order of PoolingKind in kernels.h.
  /** The sum of the steps. */
  SUM,
  /** The sum of the steps, divided by how many there are. */
  MEAN,
  /** The largest value of any step; NaN if there is one. Its gradient goes to the first step that has it. */
  MAX;

  /**
   * Pools every sequence.
   *
   * @param input rows of any number of features
   * @return one step of as many features for every sequence, for layers that follow; close it to free its memory
   * @throws NullPointerException if {@code input} is null
   * @throws IllegalStateException if it is closed
   */
  public PackedSequence forward(PackedSequence input) {
    Checks.notNull("input", input);
    try (Lease lease = new Lease()) {
      long x = input.address(lease);
      SequenceLayout pooled = SequenceLayout.ofSingleSteps(input.layout().sequences());
      PackedSequence output = lease.result(PackedSequence.allocate(input.source(), pooled, input.features()));
      input.layout().packed().pool(ordinal(), input.features(), x, output.address(lease));
      return lease.done(output);
    }
  }

  /**
   * Computes the gradient of the input.
   *
   * @param input what {@link #forward} was given
   * @param output what it returned
   * @param outputGradient dE/dy, shaped as the output
   * @return dE/dx, shaped as the input; close it to free its memory
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if a shape differs
   * @throws IllegalStateException if an argument is closed
   */
  public PackedSequence backward(PackedSequence input, PackedSequence output, PackedSequence outputGradient) {
    SequenceLayout pooled = SequenceLayout.ofSingleSteps(Checks.notNull("input", input).layout().sequences());
    checkPooled("output", output, input, pooled);
    checkPooled("outputGradient", outputGradient, input, pooled);
    try (Lease lease = new Lease()) {
      long x = input.address(lease);
      long y = output.address(lease);
      long dY = outputGradient.address(lease);
      PackedSequence inputGradient = lease.result(input.like());
      input.layout().packed().poolBackward(ordinal(), input.features(), x, y, dY, inputGradient.address(lease));
      return lease.done(inputGradient);
    }
  }

  private static void checkPooled(String name, PackedSequence batch, PackedSequence input, SequenceLayout pooled) {
    Checks.equal(name + " features", Checks.notNull(name, batch).features(), input.features());
    batch.layout().requireSame(name, "one step for every sequence", pooled);
  }
}
