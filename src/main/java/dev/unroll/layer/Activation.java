package dev.unroll.layer;

import dev.unroll.internal.ActivationNative;
import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.sequence.PackedSequence;

/**
 * A function of every element, to stand between layers or after the last. It has no parameters and no memory. NaN gives
 * NaN; denormal numbers count as 0.
 */
public enum Activation {
  // In the order of ActivationKind in kernels.h.
  /** {@code max(x, 0)}; its derivative at 0 is 0. */
  RELU,
  /** The hyperbolic tangent, between -1 and 1. */
  TANH,
  /** {@code 1 / (1 + exp(-x))}, between 0 and 1: a probability. */
  SIGMOID,
  /** {@code log(1 + exp(x))}, above 0 and close to x for large x: a scale or a rate. */
  SOFTPLUS,
  /** {@code exp(x)}, above 0; infinity for x above 88.7. */
  EXP,
  /**
   * {@code log(x)}, the natural logarithm: -infinity for 0, denormal numbers and -0; NaN below. Its derivative {@code 1/x}
   * is computed as {@code exp(-y)} from the rounded value y, so it is right to {@code 1 + |y|} units in the last place;
   * infinity where y is -infinity.
   */
  LOG;

  /**
   * Computes the function of every element.
   *
   * @param input rows of any number of features
   * @return rows of as many features, laid out as the input; close it to free its memory
   * @throws NullPointerException if {@code input} is null
   * @throws IllegalStateException if it is closed
   */
  public PackedSequence forward(PackedSequence input) {
    try (Lease lease = new Lease()) {
      long x = Checks.notNull("input", input).address(lease);
      PackedSequence output = lease.result(input.like());
      ActivationNative.forward(ordinal(), x, output.address(lease), size(input));
      return lease.done(output);
    }
  }

  /**
   * Computes the function of every element of an array, for steps that are in no batch: the same bits as in one.
   *
   * @param input any number of elements
   * @param output receives as many; it may be {@code input}
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the sizes differ
   */
  public void forward(float[] input, float[] output) {
    Checks.equal(
        "size of output", Checks.notNull("output", output).length, Checks.notNull("input", input).length);
    PlainArrays.map(input, output, (x, y) -> ActivationNative.forward(ordinal(), x, y, input.length));
  }

  /**
   * Computes the gradient of the input: {@code dE/dx = dE/dy * f'(x)}.
   *
   * @param output what {@link #forward} returned
   * @param outputGradient dE/dy, shaped alike
   * @return dE/dx; close it to free its memory
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the shapes differ
   * @throws IllegalStateException if an argument is closed
   */
  public PackedSequence backward(PackedSequence output, PackedSequence outputGradient) {
    Checks.notNull("output", output);
    Checks.notNull("outputGradient", outputGradient);
    Checks.equal("outputGradient features", outputGradient.features(), output.features());
    outputGradient.layout().requireSame("outputGradient", "output", output.layout());
    try (Lease lease = new Lease()) {
      long y = output.address(lease);
      long dY = outputGradient.address(lease);
      PackedSequence inputGradient = lease.result(output.like());
      ActivationNative.backward(ordinal(), y, dY, inputGradient.address(lease), size(output));
      return lease.done(inputGradient);
    }
  }

  private static long size(PackedSequence batch) {
    return (long) batch.layout().rows() * batch.features();
  }
}
