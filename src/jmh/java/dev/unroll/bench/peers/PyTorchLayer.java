package dev.unroll.bench.peers;

import dev.unroll.bench.work.Subject;
import dev.unroll.peers.RecurrentCase;
import dev.unroll.peers.RecurrentShape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.T_TensorTensorTensor_T;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** The functions behind {@code nn.RNN}, {@code nn.GRU} and {@code nn.LSTM} on a time-major or packed batch. */
final class PyTorchLayer implements Subject {
  private static final String[] WEIGHTS = {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"};
  private static final String[] STATES = {RecurrentCase.INITIAL_H, RecurrentCase.INITIAL_C};
  private static final String[] FINALS = {RecurrentCase.FINAL_H, RecurrentCase.FINAL_C};

  private final PointerScope scope = new PointerScope();
  private final RecurrentShape shape;
  private final boolean training;
  private final PaddedRows rows;
  private final Tensor batchSizes; // null if padded
  private final Tensor input;
  private final TensorVector weights;
  private final TensorVector states;
  private final TensorVector leaves = new TensorVector();
  private final List<String> leafNames = new ArrayList<>();
  private final TensorVector fromOutput;

  PyTorchLayer(RecurrentCase problem, boolean training, boolean packed) {
    this.training = training;
    shape = problem.shape();
    rows = new PaddedRows(shape);
    // An LSTM goes through oneDNN if that is enabled: slower in a single step (51 us instead of 23 for 64 units).
    torch.globalContext().setUserEnabledMkldnn(rows.steps() > 1);
    batchSizes = packed ? Tensor.create(rows.packed().batchSizes()) : null;
    int hidden = shape.hidden();
    int gates = shape.cell().gates() * hidden;
    weights = new TensorVector();
    for (String name : WEIGHTS) {
      float[] values = problem.given(name);
      long[] dimensions = name.startsWith("bias") ? new long[] {gates} : new long[] {gates, values.length / gates};
      weights.push_back(leaf(name, values, dimensions));
    }
    input = leaf(RecurrentCase.INPUT, batch(problem.given(RecurrentCase.INPUT), shape.inputs()), batch(shape.inputs()));
    states = new TensorVector();
    for (int s = 0; s < (shape.cell().hasCells() ? 2 : 1); s++) {
      float[] state = rows.orderState(problem.given(STATES[s]), hidden);
      states.push_back(leaf(STATES[s], state, 1, rows.sequences(), hidden));
    }
    float[] gradient = batch(problem.given(RecurrentCase.FROM_OUTPUT), hidden);
    fromOutput = new TensorVector(Tensor.create(gradient, batch(hidden)));
  }

  private Tensor leaf(String name, float[] values, long... dimensions) {
    Tensor tensor = Tensor.create(values, dimensions).set_requires_grad(training);
    leaves.push_back(tensor);
    leafNames.add(name);
    return tensor;
  }

  private long[] batch(int features) {
    return batchSizes == null
        ? new long[] {rows.steps(), rows.sequences(), features}
        : new long[] {rows.packed().rows(), features};
  }

  private float[] batch(float[] values, int features) {
    return batchSizes == null ? rows.pad(values, features) : rows.packed().pack(values, features);
  }

  private float[] unbatch(Tensor tensor, int features) {
    return batchSizes == null ? rows.unpad(values(tensor), features) : rows.packed().unpack(values(tensor), features);
  }

  @Override
  @SuppressWarnings("try") // scopes work by being open
  public void run() {
    try (PointerScope call = new PointerScope()) {
      if (training) {
        backward(forward());
      } else {
        infer();
      }
    }
  }

  @SuppressWarnings("try")
  private Tensor[] infer() {
    try (InferenceMode mode = new InferenceMode()) {
      return forward();
    }
  }

  /** Outputs, final h and, for an LSTM, final c. */
  private Tensor[] forward() {
    if (shape.cell().hasCells()) {
      T_TensorTensorTensor_T three =
          batchSizes == null
              ? torch.lstm(input, states, weights, true, 1, 0, training, false, false)
              : torch.lstm(input, batchSizes, states, weights, true, 1, 0, training, false);
      return new Tensor[] {three.get0(), three.get1(), three.get2()};
    }
    Tensor h = states.get(0);
    boolean gru = shape.cell() == RecurrentShape.Cell.GRU;
    T_TensorTensor_T two;
    if (batchSizes == null) {
      two =
          gru
              ? torch.gru(input, h, weights, true, 1, 0, training, false, false)
              : torch.rnn_tanh(input, h, weights, true, 1, 0, training, false, false);
    } else {
      two =
          gru
              ? torch.gru(input, batchSizes, h, weights, true, 1, 0, training, false)
              : torch.rnn_tanh(input, batchSizes, h, weights, true, 1, 0, training, false);
    }
    return new Tensor[] {two.get0(), two.get1()};
  }

  /** Gradients of all leaves, from those of the outputs. */
  private TensorVector backward(Tensor[] outputs) {
    return torch.grad(new TensorVector(outputs[0]), leaves, fromOutput, new BoolOptional(), false, false);
  }

  @Override
  public Set<String> lacking() {
    return batchSizes == null ? rows.lacking() : Set.of();
  }

  @Override
  @SuppressWarnings("try")
  public Map<String, float[]> results() {
    Map<String, float[]> results = new LinkedHashMap<>();
    int hidden = shape.hidden();
    try (PointerScope call = new PointerScope()) {
      Tensor[] outputs = training ? forward() : infer();
      results.put(RecurrentCase.OUTPUT, unbatch(outputs[0], hidden));
      if (lacking().isEmpty()) {
        for (int s = 0; s < states.size(); s++) {
          results.put(FINALS[s], rows.restoreState(values(outputs[s + 1]), hidden));
        }
      }
      if (training) {
        TensorVector gradients = backward(outputs);
        for (int i = 0; i < leafNames.size(); i++) {
          String name = leafNames.get(i);
          Tensor gradient = gradients.get(i);
          float[] values =
              name.equals(RecurrentCase.INPUT)
                  ? unbatch(gradient, shape.inputs())
                  : name.startsWith("initial") ? rows.restoreState(values(gradient), hidden) : values(gradient);
          results.put(RecurrentCase.GRADIENT + name, values);
        }
      }
    }
    return results;
  }

  static float[] values(Tensor tensor) {
    float[] values = new float[(int) tensor.numel()];
    tensor.contiguous().data_ptr_float().get(values);
    return values;
  }

  @Override
  public void close() {
    scope.close();
  }
}
