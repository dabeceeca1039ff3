package dev.unroll.layer;

import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.MatrixNative;
import dev.unroll.sequence.PackedSequence;
import java.util.List;

/**
 * The same affine map of every step: {@code y = x W^T + b} (PyTorch {@code nn.Linear}), parameters {@code weight}
 * [outputs, inputs] and {@code bias} [outputs], both uniform in +-1/sqrt(inputs) at first.
 */
public final class Linear implements Layer {
  private final int inputSize;
  private final int outputSize;
  private final ParameterSet parameters;
  private final Parameter weight;
  private final Parameter bias; // or null
  private final Panels forwardPanels;
  private final Panels backwardPanels;
  private final PackingChoice forwardChoice = new PackingChoice();
  private final PackingChoice backwardChoice = new PackingChoice();

  /**
   * Makes a layer.
   *
   * @param inputSize features of its input, 1 or more
   * @param outputSize features of its output, 1 or more
   * @param seed of the initial weights
   * @throws IllegalArgumentException if a size is below 1, or their product above 2^31 - 1
   */
  public Linear(int inputSize, int outputSize, long seed) {
    this(inputSize, outputSize, true, seed);
  }

  /**
   * Makes a layer with or without a bias.
   *
   * @param inputSize features of its input, 1 or more
   * @param outputSize features of its output, 1 or more
   * @param hasBias whether there is one; if not, so is no parameter {@code bias}
   * @param seed of the initial weights
   * @throws IllegalArgumentException if a size is below 1, or their product above 2^31 - 1
   */
  public Linear(int inputSize, int outputSize, boolean hasBias, long seed) {
    this.inputSize = Checks.positive("inputSize", inputSize);
    this.outputSize = Checks.positive("outputSize", outputSize);
    parameters = new ParameterSet(seed);
    double bound = 1 / Math.sqrt(inputSize);
    try {
      weight = parameters.uniform("weight", bound, outputSize, inputSize);
      bias = hasBias ? parameters.uniform("bias", bound, outputSize) : null;
    } catch (RuntimeException | Error e) {
      parameters.close();
      throw e;
    }
    forwardPanels = Panels.forward(weight, 1);
    backwardPanels = Panels.backward(weight, 0, outputSize);
  }

  /**
   * Returns the number of input features.
   *
   * @return inputs
   */
  public int inputSize() {
    return inputSize;
  }

  /**
   * Returns the number of output features.
   *
   * @return outputs
   */
  public int outputSize() {
    return outputSize;
  }

  @Override
  public List<Parameter> parameters() {
    return parameters.all();
  }

  /**
   * Maps every step.
   *
   * @param input rows of {@link #inputSize()} features
   * @return rows of {@link #outputSize()} features, laid out as the input; close it to free its memory
   * @throws NullPointerException if {@code input} is null
   * @throws IllegalArgumentException if the feature count differs
   * @throws IllegalStateException if this layer or the input is closed
   */
  public PackedSequence forward(PackedSequence input) {
    Checks.equal("input features", Checks.notNull("input", input).features(), inputSize);
    try (Lease lease = new Lease()) {
      long x = input.address(lease);
      int rows = input.layout().rows();
      boolean plain = forwardChoice.choosePlain(weight.version(), rows);
      long w = forwardPanels.current(lease, plain);
      int form = forwardPanels.form(plain);
      long b = bias == null ? 0 : lease.address(bias.memory());
      PackedSequence output = lease.result(PackedSequence.allocate(input.source(), input.layout(), outputSize));
      MatrixNative.matmul(rows, inputSize, outputSize, x, w, form, b, false, output.address(lease));
      return lease.done(output);
    }
  }

  /**
   * Maps steps that are in no batch, such as those of a {@link RecurrentSession}: the same bits as in one. Native memory
   * for both arrays is allocated, and freed again.
   *
   * @param input [steps * {@link #inputSize()}] any number of steps, one after the other
   * @param output [steps * {@link #outputSize()}] receives as many; it may be {@code input} if it has the same size
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the size of {@code input} is no multiple of the inputs, or that of {@code output}
   *     is another than that of as many steps
   * @throws IllegalStateException if this layer is closed
   */
  public void forward(float[] input, float[] output) {
    int rows = Checks.notNull("input", input).length / inputSize;
    Checks.require(rows * inputSize == input.length, "size of input", input.length, "a multiple of " + inputSize);
    Checks.equal("size of output", Checks.notNull("output", output).length, (long) rows * outputSize);
    try (Lease lease = new Lease()) {
      boolean plain = forwardChoice.choosePlain(weight.version(), rows);
      long w = forwardPanels.current(lease, plain);
      int form = forwardPanels.form(plain);
      long b = bias == null ? 0 : lease.address(bias.memory());
      PlainArrays.map(
          input, output, (x, y) -> MatrixNative.matmul(rows, inputSize, outputSize, x, w, form, b, false, y));
    }
  }

  /**
   * Adds to the gradients of the parameters and returns that of the input.
   *
   * @param input what {@link #forward} was given
   * @param outputGradient dE/dy, laid out as the input, rows of {@link #outputSize()} features
   * @return dE/dx; close it to free its memory
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if a feature count or the layouts differ
   * @throws IllegalStateException if this layer or an argument is closed
   */
  public PackedSequence backward(PackedSequence input, PackedSequence outputGradient) {
    Checks.equal("input features", Checks.notNull("input", input).features(), inputSize);
    Checks.equal("outputGradient features", Checks.notNull("outputGradient", outputGradient).features(), outputSize);
    outputGradient.layout().requireSame("outputGradient", "input", input.layout());
    try (Lease lease = new Lease()) {
      long x = input.address(lease);
      long dY = outputGradient.address(lease);
      int rows = input.layout().rows();
      boolean plain = backwardChoice.choosePlain(weight.version(), rows);
      long w = backwardPanels.current(lease, plain);
      int form = backwardPanels.form(plain);
      long dWeight = lease.address(weight.gradientMemory());
      long dBias = bias == null ? 0 : lease.address(bias.gradientMemory());
      PackedSequence inputGradient =
          lease.result(PackedSequence.allocate(input.source(), input.layout(), inputSize));
      MatrixNative.matmul(rows, outputSize, inputSize, dY, w, form, 0, false, inputGradient.address(lease));
      long order = input.layout().packed().sumOrder(lease, input.source(), x, inputSize, dY, outputSize);
      MatrixNative.matmulTransposed(rows, outputSize, inputSize, dY, x, order, dWeight, dBias);
      return lease.done(inputGradient);
    }
  }

  @Override
  public void close() {
    parameters.close();
    forwardPanels.close();
    backwardPanels.close();
  }

  @Override
  public String toString() {
    return "Linear(" + inputSize + " to " + outputSize + ")";
  }
}
