package dev.unroll.train;

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
  private final float labelSmoothing;

  /**
   * Makes a loss without label smoothing.
   *
   * @param divisor what the sum is divided by
   * @throws NullPointerException if null
   */
  public CrossEntropy(Divisor divisor) {
    this(divisor, 0);
  }

  /**
   * Makes a loss whose target is no single token: it has the probability {@code 1 - labelSmoothing}, and all tokens,
   * itself included, share the rest evenly (Szegedy et al., <a href="https://arxiv.org/abs/1512.00567">Rethinking the
   * Inception Architecture</a>, section 7). A score of -infinity costs infinity then, whatever the target.
   *
   * @param divisor what the sum is divided by
   * @param labelSmoothing from 0 to 1; 0.1 is common
   * @throws NullPointerException if {@code divisor} is null
   * @throws IllegalArgumentException if {@code labelSmoothing} is not from 0 to 1
   */
  public CrossEntropy(Divisor divisor, double labelSmoothing) {
    this.divisor = Checks.notNull("divisor", divisor);
    Checks.require(labelSmoothing >= 0 && labelSmoothing <= 1, "labelSmoothing", labelSmoothing, "0 to 1");
    this.labelSmoothing = (float) labelSmoothing;
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
    return run(scores, targets, null, null);
  }

  /**
   * Computes the loss of weighted steps.
   *
   * @param scores a row of scores, one for each token, for every step
   * @param targets the right token of every step, laid out as the scores
   * @param weights one feature, what the loss of each step is multiplied by, laid out as the scores; those of classes
   *     are {@link PackedTokens#lookUp targets.lookUp(classWeights)}. With label smoothing they multiply all of the loss, as
   *     in Keras, where PyTorch weights the part of each class by its own
   * @return the loss in nats; 0 for a batch without steps
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the layouts differ, the feature count from the vocabulary, or that of the
   *     weights from 1; the message names both
   * @throws IllegalStateException if an argument is closed
   */
  public double loss(PackedSequence scores, PackedTokens targets, PackedSequence weights) {
    check(scores, targets);
    StepSums.checkWeights(weights, "scores", scores.layout());
    return run(scores, targets, weights, null);
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
    return StepSums.withGradient(scores, gradient -> run(scores, targets, null, gradient));
  }

  /**
   * Computes the loss of weighted steps and its gradient.
   *
   * @param scores a row of scores, one for each token, for every step
   * @param targets the right token of every step, laid out as the scores
   * @param weights one feature, what the loss of each step is multiplied by, laid out as the scores
   * @return the loss and dE/d scores; close it to free its memory
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the layouts differ, the feature count from the vocabulary, or that of the
   *     weights from 1; the message names both
   * @throws IllegalStateException if an argument is closed
   */
  public LossGradient gradient(PackedSequence scores, PackedTokens targets, PackedSequence weights) {
    check(scores, targets);
    StepSums.checkWeights(weights, "scores", scores.layout());
    return StepSums.withGradient(scores, gradient -> run(scores, targets, weights, gradient));
  }

  /**
   * Computes the loss of every step by itself, PyTorch's {@code reduction="none"}: to find what a model does badly, or
   * for the perplexity of each sequence.
   *
   * @param scores a row of scores, one for each token, for every step
   * @param targets the right token of every step, laid out as the scores
   * @return one feature, what the step adds to the sum, in nats; close it to free its memory
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the layouts differ, or the feature count from the vocabulary; the message names
   *     both
   * @throws IllegalStateException if an argument is closed
   */
  public PackedSequence ofEachStep(PackedSequence scores, PackedTokens targets) {
    check(scores, targets);
    try (Lease lease = new Lease()) {
      long x = scores.address(lease);
      long labels = targets.address(lease);
      PackedSequence losses = lease.result(PackedSequence.allocate(scores.source(), scores.layout(), 1));
      long y = losses.address(lease);
      SoftmaxNative.crossEntropy(scores.layout().rows(), scores.features(), x, labels, 0, labelSmoothing, 1, y, 0);
      return lease.done(losses);
    }
  }

  static void check(PackedSequence scores, PackedTokens targets) {
    Checks.notNull("scores", scores);
    Checks.notNull("targets", targets);
    Checks.equal("features of scores", scores.features(), targets.vocabulary());
    targets.layout().requireSame("targets", "scores", scores.layout());
  }

  /** The loss; weights and gradient may be null. */
  private double run(PackedSequence scores, PackedTokens targets, PackedSequence weights, PackedSequence gradient) {
    int rows = scores.layout().rows();
    try (Lease lease = new Lease()) {
      StepSums sums = new StepSums(lease, scores);
      long x = scores.address(lease);
      long labels = targets.address(lease);
      long w = weights == null ? 0 : weights.address(lease);
      double count = sums.divisor(divisor, w);
      long values = lease.temporary(scores.source(), (long) rows * Float.BYTES);
      long dX = gradient == null ? 0 : gradient.address(lease);
      float scale = (float) (1 / count);
      SoftmaxNative.crossEntropy(rows, scores.features(), x, labels, w, labelSmoothing, scale, values, dX);
      return sums.sum(values) / count;
    }
  }
}
