package dev.unroll.layer;

import dev.unroll.internal.Checks;

/**
 * The Elman network, {@code h_t = act(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)} with act = tanh or relu (PyTorch
 * {@code nn.RNN}; J. L. Elman, "Finding structure in time", 1990).
 */
public final class Rnn extends Recurrent {
  private Rnn(RecurrentOptions options) {
    super(options);
  }

  /** What the cell applies to its sum. */
  public enum Activation {
    /** The hyperbolic tangent. */
    TANH,
    /** {@code max(0, x)}. */
    RELU
  }

  /**
   * Starts a layer.
   *
   * @param inputSize features of an input step, 1 or more
   * @param hiddenSize units of one direction, 1 or more
   * @return its builder
   * @throws IllegalArgumentException if a size is below 1
   */
  public static Builder builder(int inputSize, int hiddenSize) {
    return new Builder(inputSize, hiddenSize);
  }

  /** The options of an {@link Rnn}. */
  public static final class Builder extends RecurrentBuilder<Builder, Rnn> {
    private Activation activation = Activation.TANH;

    private Builder(int inputSize, int hiddenSize) {
      super(inputSize, hiddenSize);
    }

    /**
     * Chooses the activation.
     *
     * @param value default {@link Activation#TANH}
     * @return this builder
     * @throws NullPointerException if null
     */
    public Builder activation(Activation value) {
      activation = Checks.notNull("activation", value);
      return this;
    }

    @Override
    public Rnn build() {
      return new Rnn(options(activation == Activation.TANH ? CellKind.RNN_TANH : CellKind.RNN_RELU));
    }

    @Override
    Builder self() {
      return this;
    }
  }
}
