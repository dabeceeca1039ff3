package dev.unroll.bench.peers;

import static org.bytedeco.dnnl.global.dnnl.*;

import dev.unroll.bench.work.Subject;
import dev.unroll.peers.OneDnnWeights;
import dev.unroll.peers.RecurrentCase;
import dev.unroll.peers.RecurrentShape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.lbr_gru_backward;
import org.bytedeco.dnnl.lbr_gru_forward;
import org.bytedeco.dnnl.lstm_backward;
import org.bytedeco.dnnl.lstm_forward;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.rnn_primitive_desc_base;
import org.bytedeco.dnnl.stream;
import org.bytedeco.dnnl.vanilla_rnn_backward;
import org.bytedeco.dnnl.vanilla_rnn_forward;
import org.bytedeco.javacpp.PointerScope;

/**
 * A layer of oneDNN on a padded, time-major batch; weights are laid out as its primitives choose, in training anew in
 * every pass, since an optimiser's step has changed them.
 */
final class OneDnnLayer implements Subject {
  private static final int RIGHT = dnnl_unidirectional_left2right;
  private static final int TANH = dnnl_eltwise_tanh;

  private final PointerScope scope = new PointerScope();
  private final engine engine = new engine(dnnl_cpu, 0);
  private final stream stream = new stream(engine);
  private final RecurrentCase problem;
  private final RecurrentShape shape;
  private final int hidden;
  private final PaddedRows rows;
  private final OneDnnWeights weights;
  private final OneDnnCall call = new OneDnnCall(engine, stream);
  private final memory.desc x;
  private final memory.desc y;
  private final memory.desc state;
  private final memory.desc cells; // empty without
  private final memory.desc bias;
  private final List<Runnable> pass;
  private final boolean training;

  OneDnnLayer(RecurrentCase problem, boolean training) {
    this.problem = problem;
    this.training = training;
    shape = problem.shape();
    hidden = shape.hidden();
    rows = new PaddedRows(shape);
    weights = new OneDnnWeights(problem, 0, 0);
    x = type(memory.format_tag.tnc, rows.steps(), rows.sequences(), shape.inputs());
    y = type(memory.format_tag.tnc, rows.steps(), rows.sequences(), hidden);
    state = type(memory.format_tag.ldnc, 1, 1, rows.sequences(), hidden);
    cells = shape.cell().hasCells() ? state : new memory.desc();
    bias = type(memory.format_tag.ldgo, 1, 1, weights.bias().length / hidden, hidden);
    rnn_primitive_desc_base described = describe(training ? dnnl_forward_training : dnnl_forward_inference);
    pass = new ArrayList<>();
    putForward(described);
    pass.add(call.bind(primitive(described)));
    if (training) {
      pass.add(bindBackward(described));
    }
  }

  private static memory.desc type(memory.format_tag layout, long... dimensions) {
    return new memory.desc(dimensions, memory.data_type.f32, layout);
  }

  private memory.desc matrix(memory.format_tag layout, int columns) {
    return type(layout, 1, 1, columns, shape.cell().gates(), hidden);
  }

  private memory.desc any(int columns) {
    return matrix(memory.format_tag.any, columns);
  }

  private rnn_primitive_desc_base describe(int kind) {
    memory.desc w = any(shape.inputs());
    memory.desc u = any(hidden);
    return switch (shape.cell()) {
      case RNN_TANH ->
          new vanilla_rnn_forward.primitive_desc(engine, kind, TANH, RIGHT, x, state, w, u, bias, y, state);
      case GRU -> new lbr_gru_forward.primitive_desc(engine, kind, RIGHT, x, state, w, u, bias, y, state);
      case LSTM -> new lstm_forward.primitive_desc(engine, kind, RIGHT, x, state, cells, w, u, bias, y, state, cells);
      default -> throw new IllegalArgumentException(shape.cell().toString());
    };
  }

  private static primitive primitive(rnn_primitive_desc_base described) {
    return new primitive(described);
  }

  private void putForward(rnn_primitive_desc_base described) {
    call.put(DNNL_ARG_SRC_LAYER, rows.pad(problem.given(RecurrentCase.INPUT), shape.inputs()), x);
    putState(DNNL_ARG_SRC_ITER, RecurrentCase.INITIAL_H);
    call.allocate(DNNL_ARG_DST_LAYER, y);
    call.allocate(DNNL_ARG_DST_ITER, state);
    if (shape.cell().hasCells()) {
      putState(DNNL_ARG_SRC_ITER_C, RecurrentCase.INITIAL_C);
      call.allocate(DNNL_ARG_DST_ITER_C, state);
    }
    call.put(DNNL_ARG_BIAS, weights.bias(), bias);
    putWeights(described);
    if (training) {
      call.allocate(DNNL_ARG_WORKSPACE, described.workspace_desc());
    }
  }

  private void putState(int argument, String name) {
    call.put(argument, rows.orderState(problem.given(name), hidden), state);
  }

  private void putWeights(rnn_primitive_desc_base described) {
    memory.format_tag ours = memory.format_tag.ldgoi;
    Runnable input =
        call.putReordered(
            DNNL_ARG_WEIGHTS_LAYER, weights.input(), matrix(ours, shape.inputs()), described.weights_layer_desc());
    Runnable recurrent =
        call.putReordered(DNNL_ARG_WEIGHTS_ITER, weights.hidden(), matrix(ours, hidden), described.weights_iter_desc());
    if (training) {
      pass.addAll(List.of(input, recurrent));
    }
  }

  private Runnable bindBackward(rnn_primitive_desc_base of) {
    rnn_primitive_desc_base described = describeBackward(of);
    putWeights(described);
    call.allocate(DNNL_ARG_DIFF_SRC_LAYER, x);
    call.allocate(DNNL_ARG_DIFF_SRC_ITER, state);
    call.put(DNNL_ARG_DIFF_DST_LAYER, rows.pad(problem.given(RecurrentCase.FROM_OUTPUT), hidden), y);
    float[] zeros = new float[rows.sequences() * hidden];
    call.put(DNNL_ARG_DIFF_DST_ITER, zeros, state);
    if (shape.cell().hasCells()) {
      call.allocate(DNNL_ARG_DIFF_SRC_ITER_C, state);
      call.put(DNNL_ARG_DIFF_DST_ITER_C, zeros, state);
    }
    call.allocate(DNNL_ARG_DIFF_WEIGHTS_LAYER, described.diff_weights_layer_desc());
    call.allocate(DNNL_ARG_DIFF_WEIGHTS_ITER, described.diff_weights_iter_desc());
    call.allocate(DNNL_ARG_DIFF_BIAS, bias);
    return call.bind(primitive(described));
  }

  private rnn_primitive_desc_base describeBackward(rnn_primitive_desc_base of) {
    int kind = dnnl_backward;
    memory.desc w = any(shape.inputs());
    memory.desc u = any(hidden);
    return switch (shape.cell()) {
      case RNN_TANH ->
          new vanilla_rnn_backward.primitive_desc(
              engine, kind, TANH, RIGHT, x, state, w, u, bias, y, state, x, state, w, u, bias, y, state,
              (vanilla_rnn_forward.primitive_desc) of);
      case GRU ->
          new lbr_gru_backward.primitive_desc(
              engine, kind, RIGHT, x, state, w, u, bias, y, state, x, state, w, u, bias, y, state,
              (lbr_gru_forward.primitive_desc) of);
      case LSTM ->
          new lstm_backward.primitive_desc(
              engine, kind, RIGHT, x, state, cells, w, u, bias, y, state, cells,
              x, state, cells, w, u, bias, y, state, cells, (lstm_forward.primitive_desc) of);
      default -> throw new IllegalArgumentException(shape.cell().toString());
    };
  }

  /** Gradients of weights are added to what is there, as this library does. */
  @Override
  public void run() {
    pass.forEach(Runnable::run);
  }

  @Override
  @SuppressWarnings("try") // the scope works by being open
  public Map<String, float[]> results() {
    try (PointerScope reading = new PointerScope()) {
      if (training) {
        call.clear(DNNL_ARG_DIFF_WEIGHTS_LAYER);
        call.clear(DNNL_ARG_DIFF_WEIGHTS_ITER);
        call.clear(DNNL_ARG_DIFF_BIAS);
      }
      run();
      Map<String, float[]> results = new LinkedHashMap<>();
      results.put(RecurrentCase.OUTPUT, readRows(DNNL_ARG_DST_LAYER, hidden, y));
      if (rows.isFull()) {
        putStates(results, RecurrentCase.FINAL_H, DNNL_ARG_DST_ITER, RecurrentCase.FINAL_C, DNNL_ARG_DST_ITER_C);
      }
      if (training) {
        putGradients(results);
      }
      return results;
    }
  }

  @Override
  public Set<String> lacking() {
    return rows.lacking();
  }

  private float[] readRows(int argument, int features, memory.desc type) {
    return rows.unpad(call.read(argument, rows.steps() * rows.sequences() * features, type), features);
  }

  private void putStates(Map<String, float[]> results, String h, int argumentH, String c, int argumentC) {
    int size = rows.sequences() * hidden;
    results.put(h, rows.restoreState(call.read(argumentH, size, state), hidden));
    if (shape.cell().hasCells()) {
      results.put(c, rows.restoreState(call.read(argumentC, size, state), hidden));
    }
  }

  private void putGradients(Map<String, float[]> results) {
    String d = RecurrentCase.GRADIENT;
    results.put(d + RecurrentCase.INPUT, readRows(DNNL_ARG_DIFF_SRC_LAYER, shape.inputs(), x));
    putStates(
        results,
        d + RecurrentCase.INITIAL_H,
        DNNL_ARG_DIFF_SRC_ITER,
        d + RecurrentCase.INITIAL_C,
        DNNL_ARG_DIFF_SRC_ITER_C);
    memory.format_tag transposed = memory.format_tag.ldigo;
    OneDnnWeights gradients = new OneDnnWeights(problem, 0, 0);
    gradients.addGradients(
        call.read(DNNL_ARG_DIFF_WEIGHTS_LAYER, weights.input().length, matrix(transposed, shape.inputs())),
        call.read(DNNL_ARG_DIFF_WEIGHTS_ITER, weights.hidden().length, matrix(transposed, hidden)),
        call.read(DNNL_ARG_DIFF_BIAS, weights.bias().length, bias),
        null);
    gradients.putGradients(results);
  }

  @Override
  public void close() {
    scope.close();
  }
}
