package dev.unroll.train;

import dev.unroll.internal.ArrayNative;
import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.SoftmaxNative;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;

/**
 * Cross-entropy of softmax scores against one target a step: the sum over real steps of
 * {@code -log softmax(scores)[target]} in nats, divided as the {@link Divisor} says. Softmax, loss and gradient are one
 * pass. A target whose score is -infinity costs infinity; a row with NaN or +infinity, or of nothing but -infinity,
 * gives NaN.
 *
 * <p>Perplexity is {@code Math.exp} of the loss with {@link Divisor#MEAN_OVER_STEPS}. To leave out steps without a
 * target, give it a {@link dev.unroll.sequence.StepSelection} of both.
 */
public final class CrossEntropy {
  private final Divisor divisor;

  /**
   * Makes a loss.
   *
   * @param divisor what the sum is divided by
   * @throws NullPointerException if null
   */
  public CrossEntropy(Divisor divisor) {
    this.divisor = Checks.notNull("divisor", divisor);
  }

  /**
   * Computes the loss.
   *
   * @param scores a row of scores, one for each token, for every step
   * @param targets the right token of every step, laid out as the scores; its vocabulary is the scores' feature count
   * @return the loss in nats; 0 for a batch without steps
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the layouts differ, or the feature count from the vocabulary; the message names
   *     both
   * @throws IllegalStateException if an argument is closed
   */
  public double loss(PackedSequence scores, PackedTokens targets) {
    check(scores, targets);
    return run(scores, targets, null);
  }

  /**
   * Computes the loss and its gradient.
   *
   * @param scores a row of scores, one for each token, for every step
   * @param targets the right token of every step, laid out as the scores
   * @return the loss and dE/d scores; close it to free its memory
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the layouts differ, or the feature count from the vocabulary; the message names
   *     both
   * @throws IllegalStateException if an argument is closed
   */
  public LossGradient gradient(PackedSequence scores, PackedTokens targets) {
    check(scores, targets);
    try (Lease lease = new Lease()) {
      PackedSequence gradient =
          lease.result(PackedSequence.allocate(scores.source(), scores.layout(), scores.features()));
      return lease.done(new LossGradient(run(scores, targets, gradient), gradient));
    }
  }

  /**
   * Computes the loss of every step by itself, PyTorch's {@code reduction="none"}: to find what a model does badly, or
   * for the perplexity of each sequence.
   *
   * @param scores a row of scores, one for each token, for every step
   * @param targets the right token of every step, laid out as the scores
   * @return one feature, {@code -log softmax(scores)[target]} in nats; close it to free its memory
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the layouts differ, or the feature count from the vocabulary; the message names
   *     both
   * @throws IllegalStateException if an argument is closed
   */
  public static PackedSequence ofEachStep(PackedSequence scores, PackedTokens targets) {
    check(scores, targets);
    try (Lease lease = new Lease()) {
      long x = scores.address(lease);
      long labels = targets.address(lease);
      PackedSequence losses = lease.result(PackedSequence.allocate(scores.source(), scores.layout(), 1));
      SoftmaxNative.crossEntropy(scores.layout().rows(), scores.features(), x, labels, 1, losses.address(lease), 0);
      return lease.done(losses);
    }
  }

  static void check(PackedSequence scores, PackedTokens targets) {
    Checks.notNull("scores", scores);
    Checks.notNull("targets", targets);
    Checks.equal("features of scores", scores.features(), targets.vocabulary());
    targets.layout().requireSame("targets", "scores", scores.layout());
  }

  private double run(PackedSequence scores, PackedTokens targets, PackedSequence gradient) {
    int rows = scores.layout().rows();
    double count = rows == 0 ? 1 : divisor.of(scores.layout());
    try (Lease lease = new Lease()) {
      long x = scores.address(lease);
      long labels = targets.address(lease);
      long values = lease.temporary(scores.source(), (long) rows * Float.BYTES);
      long dX = gradient == null ? 0 : gradient.address(lease);
      SoftmaxNative.crossEntropy(rows, scores.features(), x, labels, (float) (1 / count), values, dX);
      long order = scores.layout().packed().sumOrder(lease, scores.source(), values, 1, 0, 0);
      return ArrayNative.sum(values, order, rows) / count;
    }
  }
}
