package dev.unroll.layer;

import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.RandomPurpose;
import dev.unroll.sequence.PackedSequence;

/**
 * Inverted dropout (Srivastava et al., "Dropout", 2014): in training an element becomes 0 with a given probability p, and
 * the others grow by {@code 1 / (1 - p)}, so that to infer it is simply left out. Recurrent layers drop between the
 * layers of their stack by themselves; this is for before, between and after layers. It has no parameters and no memory:
 * what is dropped depends on the seed, a key, the index of the sequence in the batch, the step and the feature alone.
 */
public final class Dropout {
  private final double probability;
  private final long seed;

  /**
   * Makes a layer.
   *
   * @param probability that an element is dropped, at least 0 and below 1
   * @param seed of the choice; another one for every layer of a model
   * @throws IllegalArgumentException if {@code probability} is out of range
   */
  public Dropout(double probability, long seed) {
    this.probability = Checks.fraction("probability", probability);
    this.seed = seed;
  }

  /**
   * Returns how likely an element is dropped.
   *
   * @return probability
   */
  public double probability() {
    return probability;
  }

  /**
   * Drops elements.
   *
   * @param input rows of any number of features
   * @param key chooses the elements; another one for every batch, such as the number of the step
   * @return what is left, shaped as the input; close it to free its memory
   * @throws NullPointerException if {@code input} is null
   * @throws IllegalStateException if it is closed
   */
  public PackedSequence forwardTraining(PackedSequence input, long key) {
    return drop(Checks.notNull("input", input), key);
  }

  /**
   * Computes the gradient of the input: drops the same elements of that of the output.
   *
   * @param outputGradient dE/dy, shaped as the input
   * @param key what {@link #forwardTraining} was given
   * @return dE/dx; close it to free its memory
   * @throws NullPointerException if {@code outputGradient} is null
   * @throws IllegalStateException if it is closed
   */
  public PackedSequence backward(PackedSequence outputGradient, long key) {
    return drop(Checks.notNull("outputGradient", outputGradient), key);
  }

  private PackedSequence drop(PackedSequence batch, long key) {
    try (Lease lease = new Lease()) {
      long x = batch.address(lease);
      PackedSequence left = lease.result(batch.like());
      long ownKey = RandomPurpose.keyOf(seed, key);
      batch.layout().packed().dropout(probability, ownKey, batch.features(), x, left.address(lease));
      return lease.done(left);
    }
  }

  @Override
  public String toString() {
    return "Dropout(" + probability + ")";
  }
}
