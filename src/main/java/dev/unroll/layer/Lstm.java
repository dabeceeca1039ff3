package dev.unroll.layer;

import dev.unroll.internal.Checks;
import java.util.Arrays;

/**
 * The LSTM, gates in the order i f g o (PyTorch {@code nn.LSTM}; S. Hochreiter and J. Schmidhuber, "Long short-term
 * memory", 1997):
 *
 * <pre>
 * i, f, o = sigmoid(a), g = tanh(a),  a = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh
 * c_t = f * c_{t-1} + i * g,          h_t = o * tanh(c_t)
 * </pre>
 */
public final class Lstm extends Recurrent {
  private Lstm(RecurrentOptions options) {
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

  /** The options of an {@link Lstm}. */
  public static final class Builder extends RecurrentBuilder<Builder, Lstm> {
    private int projectionSize;
    private boolean peepholes;
    private boolean coupled;
    private Double forgetBias;

    private Builder(int inputSize, int hiddenSize) {
      super(inputSize, hiddenSize);
    }

    /**
     * Projects the output to fewer features, {@code h_t = W_hr (o * tanh(c_t))} (PyTorch {@code proj_size}; H. Sak et
     * al., "Long short-term memory recurrent neural network architectures for large scale acoustic modeling", 2014).
     * Its weight is {@code weight_hr_l0} [size, hidden].
     *
     * @param size 1 or more and below the hidden size; default no projection
     * @return this builder
     * @throws IllegalArgumentException if out of that range
     */
    public Builder projectionSize(int size) {
      Checks.require(size >= 1 && size < hiddenSize(), "projectionSize", size, "1 or more and below " + hiddenSize());
      projectionSize = size;
      return this;
    }

    /**
     * Lets the gates see the cells: {@code a_i} and {@code a_f} gain {@code p_i * c_{t-1}} and {@code p_f * c_{t-1}},
     * {@code a_o} gains {@code p_o * c_t} (F. A. Gers and J. Schmidhuber, "Recurrent nets that time and count", 2000).
     * Their weight is {@code weight_peephole_l0} [3, hidden], rows i f o.
     *
     * @param present whether to; default false
     * @return this builder
     */
    public Builder peepholes(boolean present) {
      peepholes = present;
      return this;
    }

    /**
     * Couples input and forget gate: {@code f = 1 - i} (ONNX {@code input_forget}). The weights of f stay and have no
     * effect.
     *
     * @param present whether to; default false
     * @return this builder
     */
    public Builder coupledInputForget(boolean present) {
      coupled = present;
      return this;
    }

    /**
     * Sets the initial bias of the forget gates of every layer and direction, so that a new layer remembers:
     * {@code bias_ih} gets the value, {@code bias_hh} 0. A common choice is 1.
     *
     * @param value a finite number; default: the bias is random like the others
     * @return this builder
     * @throws IllegalArgumentException if not finite
     */
    public Builder forgetBias(double value) {
      Checks.require(Double.isFinite(value), "forgetBias", value, "a finite number");
      forgetBias = value;
      return this;
    }

    /**
     * Makes the layer.
     *
     * @return a new layer; close it to free its memory
     * @throws IllegalArgumentException if a forget bias was asked for and biases were left out
     */
    @Override
    public Lstm build() {
      Checks.require(forgetBias == null || hasBias(), "bias", false, "true with forgetBias = " + forgetBias);
      Lstm layer = new Lstm(options(CellKind.LSTM, projectionSize, peepholes, coupled));
      if (forgetBias != null) {
        layer.initialize(weights -> weights.inputBias, values -> withForgetBias(values, forgetBias.floatValue()));
        layer.initialize(weights -> weights.hiddenBias, values -> withForgetBias(values, 0));
      }
      return layer;
    }

    private static float[] withForgetBias(float[] values, float bias) {
      int hidden = values.length / CellKind.LSTM.gates();
      Arrays.fill(values, hidden, 2 * hidden, bias);
      return values;
    }

    @Override
    Builder self() {
      return this;
    }
  }
}
