package dev.unroll.layer;

/**
 * The GRU, gates in the order r z n. By default the reset gate acts after the recurrent product (PyTorch
 * {@code nn.GRU}, cuDNN):
 *
 * <pre>
 * r, z = sigmoid(a),  a = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh
 * n = tanh(W_in x_t + b_in + r * (W_hn h_{t-1} + b_hn))
 * h_t = (1 - z) * n + z * h_{t-1}
 * </pre>
 */
public final class Gru extends Recurrent {
  private Gru(RecurrentOptions options) {
    super(options);
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

  /** The options of a {@link Gru}. */
  public static final class Builder extends RecurrentBuilder<Builder, Gru> {
    private boolean resetBefore;

    private Builder(int inputSize, int hiddenSize) {
      super(inputSize, hiddenSize);
    }

    /**
     * Lets the reset gate act on the state before the recurrent product,
     * {@code n = tanh(W_in x_t + b_in + W_hn (r * h_{t-1}) + b_hn)} (K. Cho et al., "Learning phrase representations
     * using RNN encoder-decoder", 2014; Keras {@code reset_after=False}; ONNX {@code linear_before_reset=0}).
     *
     * @param before whether to; default false
     * @return this builder
     */
    public Builder resetBefore(boolean before) {
      resetBefore = before;
      return this;
    }

    @Override
    public Gru build() {
      return new Gru(options(resetBefore ? CellKind.GRU_RESET_BEFORE : CellKind.GRU));
    }

    @Override
    Builder self() {
      return this;
    }
  }
}
