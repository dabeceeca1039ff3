package dev.unroll.layer;

import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.SoftmaxNative;
import dev.unroll.sequence.PackedSequence;

/**
 * Softmax of every step: {@code y_i = exp(x_i / temperature) / sum_j exp(x_j / temperature)}, computed after
 * subtracting the largest element, so that nothing overflows. It has no parameters and no memory. To train with
 * cross-entropy use {@link dev.unroll.train.CrossEntropy}, which takes the scores themselves.
 */
public final class Softmax {
  private final float scale;

  /** Makes a layer of temperature 1. */
  public Softmax() {
    this(1);
  }

  /**
   * Makes a layer.
   *
   * @param temperature above 0; below 1 the largest element gains, above 1 all come closer
   * @throws IllegalArgumentException if it is not a number from 1.2e-38 to 8.5e37
   */
  public Softmax(double temperature) {
    scale = (float) (1 / Checks.positive("temperature", temperature));
    Checks.positive("1 / temperature", scale);
  }

  /**
   * Computes probabilities.
   *
   * @param scores rows of any number of features; -infinity means probability 0
   * @return rows that sum to 1; NaN throughout for rows with NaN or +infinity, or of nothing but -infinity, which give no
   *     distribution; close it to free its memory
   * @throws NullPointerException if {@code scores} is null
   * @throws IllegalStateException if it is closed
   */
  public PackedSequence forward(PackedSequence scores) {
    try (Lease lease = new Lease()) {
      long x = Checks.notNull("scores", scores).address(lease);
      PackedSequence output = lease.result(scores.like());
      SoftmaxNative.softmax(scores.layout().rows(), scores.features(), x, scale, output.address(lease));
      return lease.done(output);
    }
  }

  /**
   * Computes the probabilities of a single step that is in no batch: the same bits as in one.
   *
   * @param scores of the step, one or more
   * @param probabilities receives as many; it may be {@code scores}
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the sizes differ
   */
  public void forward(float[] scores, float[] probabilities) {
    int size = Checks.notNull("scores", scores).length;
    Checks.positive("size of scores", size);
    Checks.equal("size of probabilities", Checks.notNull("probabilities", probabilities).length, size);
    PlainArrays.map(scores, probabilities, (x, y) -> SoftmaxNative.softmax(1, size, x, scale, y));
  }

  /**
   * Computes the logarithms of the probabilities, without rounding small ones to 0 first.
   *
   * @param scores rows of any number of features
   * @return rows of natural logarithms, -infinity for -infinity; NaN as {@link #forward}; close it to free its memory
   * @throws NullPointerException if {@code scores} is null
   * @throws IllegalStateException if it is closed
   */
  public PackedSequence logForward(PackedSequence scores) {
    try (Lease lease = new Lease()) {
      long x = Checks.notNull("scores", scores).address(lease);
      PackedSequence output = lease.result(scores.like());
      SoftmaxNative.logSoftmax(scores.layout().rows(), scores.features(), x, scale, output.address(lease));
      return lease.done(output);
    }
  }

  /**
   * Computes the gradient of the scores: {@code dE/dx_i = y_i (dE/dy_i - sum_j y_j dE/dy_j) / temperature}.
   *
   * @param probabilities what {@link #forward} returned
   * @param probabilitiesGradient dE/dy, shaped alike
   * @return dE/dx; close it to free its memory
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the shapes differ
   * @throws IllegalStateException if an argument is closed
   */
  public PackedSequence backward(PackedSequence probabilities, PackedSequence probabilitiesGradient) {
    Checks.notNull("probabilities", probabilities);
    Checks.notNull("probabilitiesGradient", probabilitiesGradient);
    Checks.equal("probabilitiesGradient features", probabilitiesGradient.features(), probabilities.features());
    probabilitiesGradient.layout().requireSame("probabilitiesGradient", "probabilities", probabilities.layout());
    try (Lease lease = new Lease()) {
      long y = probabilities.address(lease);
      long dY = probabilitiesGradient.address(lease);
      PackedSequence dX = lease.result(probabilities.like());
      int rows = probabilities.layout().rows();
      SoftmaxNative.softmaxBackward(rows, probabilities.features(), y, dY, scale, dX.address(lease));
      return lease.done(dX);
    }
  }
}
