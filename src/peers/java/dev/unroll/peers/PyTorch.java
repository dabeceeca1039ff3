package dev.unroll.peers;

import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.T_TensorTensorTensor_T;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.global.torch;

/**
 * PyTorch through its Java binding: the functions behind {@code nn.RNN}, {@code nn.LSTM} and {@code nn.GRU}, on a
 * packed batch. It takes no sequence of length 0; what such a sequence answers follows from its having no step and is
 * filled in here.
 */
final class PyTorch implements Peer {
  private static final String[] STATES = {RecurrentCase.INITIAL_H, RecurrentCase.INITIAL_C};
  private static final String[] FINALS = {RecurrentCase.FINAL_H, RecurrentCase.FINAL_C};
  private static final String[] FROM_FINALS = {RecurrentCase.FROM_FINAL_H, RecurrentCase.FROM_FINAL_C};

  PyTorch() {
    // On more threads its small products become slower, not faster.
    torch.set_num_threads(1);
  }

  @Override
  public String name() {
    return "PyTorch " + Tensor.class.getPackage().getImplementationVersion();
  }

  @Override
  public boolean computes(RecurrentShape.Cell cell) {
    return switch (cell) {
      case RNN_TANH, RNN_RELU, LSTM, LSTM_PROJECTED, GRU -> true;
      case LSTM_PEEPHOLES, LSTM_COUPLED, GRU_RESET_BEFORE -> false;
    };
  }

  @Override
  public boolean trains() {
    return true;
  }

  @Override
  @SuppressWarnings("try") // the scope works by being open
  public Map<String, float[]> run(RecurrentCase problem) {
    try (PointerScope scope = new PointerScope()) {
      return new Run(problem).results();
    }
  }

  /** One forward and backward pass; its tensors live as long as the scope around it. */
  private static final class Run {
    private final RecurrentCase problem;
    private final RecurrentShape shape;
    private final PackedRows packed;
    private final int[] stateSizes;
    private final Map<String, Tensor> weights = new LinkedHashMap<>();

    Run(RecurrentCase problem) {
      this.problem = problem;
      shape = problem.shape();
      packed = new PackedRows(shape.lengths());
      stateSizes =
          shape.cell().hasCells() ? new int[] {shape.stateSize(), shape.hidden()} : new int[] {shape.stateSize()};
      problem.given().forEach((name, values) -> {
        if (name.startsWith("weight_") || name.startsWith("bias_")) {
          int rows = rowsOf(name);
          long[] dimensions = name.startsWith("bias_") ? new long[] {rows} : new long[] {rows, values.length / rows};
          weights.put(name, leaf(values, dimensions));
        }
      });
    }

    private int rowsOf(String weight) {
      return weight.startsWith("weight_hr") ? shape.projection() : shape.cell().gates() * shape.hidden();
    }

    private static Tensor leaf(float[] values, long... dimensions) {
      return Tensor.create(values, dimensions).set_requires_grad(true);
    }

    private Tensor state(float[] values, int size) {
      return Tensor.create(
          packed.packState(values, shape.entries(), size), shape.entries(), packed.sequences(), size);
    }

    /** The given state of all sequences, or zeros. */
    private float[] stateOrZero(String name, int which) {
      float[] given = problem.given(name);
      return given != null ? given : new float[shape.entries() * shape.sequences() * stateSizes[which]];
    }

    Map<String, float[]> results() {
      float[] rows = packed.pack(problem.given(RecurrentCase.INPUT), shape.inputs());
      Tensor input = leaf(rows, packed.rows(), shape.inputs());
      Tensor[] initial = new Tensor[stateSizes.length];
      for (int s = 0; s < initial.length; s++) {
        initial[s] = state(stateOrZero(STATES[s], s), stateSizes[s]).set_requires_grad(true);
      }
      Tensor[] outputs = forward(input, initial);
      loss(outputs).backward();

      Map<String, float[]> results = new LinkedHashMap<>();
      results.put(RecurrentCase.OUTPUT, packed.unpack(values(outputs[0]), shape.outputSize()));
      for (int s = 0; s < initial.length; s++) {
        results.put(FINALS[s], unpackState(values(outputs[s + 1]), STATES[s], s));
      }
      results.put(RecurrentCase.GRADIENT + RecurrentCase.INPUT, packed.unpack(values(input.grad()), shape.inputs()));
      for (int s = 0; s < initial.length; s++) {
        results.put(RecurrentCase.GRADIENT + STATES[s], unpackState(values(initial[s].grad()), FROM_FINALS[s], s));
      }
      weights.forEach((name, weight) -> results.put(RecurrentCase.GRADIENT + name, values(weight.grad())));
      return results;
    }

    /** Outputs, final h and, for an LSTM, final c. */
    private Tensor[] forward(Tensor input, Tensor[] initial) {
      Tensor sizes = Tensor.create(packed.batchSizes());
      TensorVector parameters = new TensorVector(weights.values().toArray(Tensor[]::new));
      boolean bias = shape.bias();
      int layers = shape.layers();
      boolean both = shape.bidirectional();
      if (shape.cell().hasCells()) {
        TensorVector states = new TensorVector(initial);
        T_TensorTensorTensor_T three =
            torch.lstm(input, sizes, states, parameters, bias, layers, 0, true, both);
        return new Tensor[] {three.get0(), three.get1(), three.get2()};
      }
      Tensor h = initial[0];
      T_TensorTensor_T two =
          switch (shape.cell()) {
            case RNN_TANH -> torch.rnn_tanh(input, sizes, h, parameters, bias, layers, 0, true, both);
            case RNN_RELU -> torch.rnn_relu(input, sizes, h, parameters, bias, layers, 0, true, both);
            case GRU -> torch.gru(input, sizes, h, parameters, bias, layers, 0, true, both);
            default -> throw new AssertionError(shape.cell());
          };
      return new Tensor[] {two.get0(), two.get1()};
    }

    /** A number whose derivatives by the outputs and the final state are the given gradients. */
    private Tensor loss(Tensor[] outputs) {
      Tensor loss = null;
      float[] fromOutput = problem.given(RecurrentCase.FROM_OUTPUT);
      if (fromOutput != null) {
        float[] rows = packed.pack(fromOutput, shape.outputSize());
        loss = outputs[0].mul(Tensor.create(rows, packed.rows(), shape.outputSize())).sum();
      }
      for (int s = 0; s < stateSizes.length; s++) {
        if (problem.given(FROM_FINALS[s]) != null) {
          Tensor term = outputs[s + 1].mul(state(problem.given(FROM_FINALS[s]), stateSizes[s])).sum();
          loss = loss == null ? term : loss.add(term);
        }
      }
      return loss;
    }

    private float[] unpackState(float[] values, String ofLengthZero, int which) {
      return packed.unpackState(values, stateOrZero(ofLengthZero, which), shape.entries(), stateSizes[which]);
    }

    private static float[] values(Tensor tensor) {
      float[] values = new float[(int) tensor.numel()];
      tensor.contiguous().data_ptr_float().get(values);
      return values;
    }
  }
}
