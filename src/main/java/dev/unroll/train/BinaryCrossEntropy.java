package dev.unroll.train;

/**
 * Cross-entropy of yes or no for every element, of scores whose {@link dev.unroll.layer.Activation#SIGMOID sigmoid} is
 * the probability of yes: {@code -t log sigmoid(y) - (1 - t) log(1 - sigmoid(y))} in nats for a target t of 0 or 1, or of
 * a probability between them. PyTorch's {@code BCEWithLogitsLoss}, Keras' {@code BinaryCrossentropy(from_logits=True)}.
 * For labels of which several may hold, an element is one label. {@code pos_weight} is a weight of the elements whose
 * target is 1.
 *
 * <p>Function and loss are one pass, exact to the last places however small or large the loss is.
 */
public final class BinaryCrossEntropy extends ElementLoss {
  /**
   * Makes a loss.
   *
   * @param divisor what the sum is divided by
   * @throws NullPointerException if null
   */
  public BinaryCrossEntropy(Divisor divisor) {
    super(Kind.BINARY_CROSS_ENTROPY, 0, divisor);
  }
}
