package dev.unroll.peers;

import static org.bytedeco.dnnl.global.dnnl.*;

import java.util.Arrays;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.gru_backward;
import org.bytedeco.dnnl.gru_forward;
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
import org.bytedeco.javacpp.FloatPointer;

/**
 * One layer and direction of oneDNN over one sequence, forward in time. Its native memory is freed by the scope
 * around it.
 */
final class OneDnnCell {
  private static final int LEFT_TO_RIGHT = dnnl_unidirectional_left2right;

  private final engine engine;
  private final stream stream;
  private final RecurrentShape shape;
  private final OneDnnWeights weights;
  private final int steps;
  private final IntMemoryMap arguments = new IntMemoryMap();
  private memory.desc[] forwardTypes;
  private rnn_primitive_desc_base forward;

  OneDnnCell(engine engine, stream stream, RecurrentShape shape, OneDnnWeights weights, int steps) {
    this.engine = engine;
    this.stream = stream;
    this.shape = shape;
    this.weights = weights;
    this.steps = steps;
  }

  /** Rows and state; c is null for cells without it. */
  record Values(float[] rows, float[] h, float[] c) {}

  /** An argument of a primitive: what it means, and its buffer. */
  private record Argument(FloatPointer data, int size, memory.desc type) {
    float[] values() {
      float[] values = new float[size];
      data.get(values);
      return values;
    }
  }

  private Argument argument(int index, float[] values, memory.format_tag layout, long... dimensions) {
    memory.desc type = new memory.desc(dimensions, memory.data_type.f32, layout);
    FloatPointer data = new FloatPointer(values);
    arguments.put(index, new memory(type, engine, data));
    return new Argument(data, values.length, type);
  }

  private Argument rows(int index, float[] values, int features) {
    return argument(index, values, memory.format_tag.tnc, steps, 1, features);
  }

  private Argument state(int index, float[] values) {
    return argument(index, values, memory.format_tag.ldnc, 1, 1, 1, shape.hidden());
  }

  private Argument matrix(int index, float[] values, memory.format_tag layout) {
    int gates = shape.cell().gates();
    int columns = values.length / (gates * shape.hidden());
    return argument(index, values, layout, 1, 1, columns, gates, shape.hidden());
  }

  private Argument vector(int index, float[] values) {
    return argument(index, values, memory.format_tag.ldgo, 1, 1, values.length / shape.hidden(), shape.hidden());
  }

  private static memory.desc typeOf(Argument argument) {
    return argument == null ? new memory.desc() : argument.type;
  }

  Values forward(Values input) {
    boolean cells = shape.cell().hasCells();
    memory.format_tag layout = memory.format_tag.ldigo;
    Argument x = rows(DNNL_ARG_SRC_LAYER, input.rows, weights.inputs());
    Argument h = state(DNNL_ARG_SRC_ITER, input.h);
    Argument c = cells ? state(DNNL_ARG_SRC_ITER_C, input.c) : null;
    Argument w = matrix(DNNL_ARG_WEIGHTS_LAYER, weights.inputTransposed(), layout);
    Argument u = matrix(DNNL_ARG_WEIGHTS_ITER, weights.hiddenTransposed(), layout);
    Argument p = weights.peepholes() == null ? null : vector(DNNL_ARG_WEIGHTS_PEEPHOLE, weights.peepholes());
    Argument b = vector(DNNL_ARG_BIAS, weights.bias());
    Argument y = rows(DNNL_ARG_DST_LAYER, new float[steps * shape.hidden()], shape.hidden());
    Argument lastH = state(DNNL_ARG_DST_ITER, new float[shape.hidden()]);
    Argument lastC = cells ? state(DNNL_ARG_DST_ITER_C, new float[shape.hidden()]) : null;
    forwardTypes = types(x, h, c, w, u, p, b, y, lastH, lastC);
    memory.desc[] t = forwardTypes;
    int kind = dnnl_forward_training;
    primitive run;
    switch (shape.cell()) {
      case RNN_TANH, RNN_RELU -> {
        vanilla_rnn_forward.primitive_desc type =
            new vanilla_rnn_forward.primitive_desc(
                engine, kind, activation(), LEFT_TO_RIGHT, t[0], t[1], t[3], t[4], t[6], t[7], t[8]);
        forward = type;
        run = new vanilla_rnn_forward(type);
      }
      case LSTM, LSTM_PEEPHOLES -> {
        lstm_forward.primitive_desc type =
            new lstm_forward.primitive_desc(
                engine, kind, LEFT_TO_RIGHT, t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], t[9]);
        forward = type;
        run = new lstm_forward(type);
      }
      case GRU -> {
        lbr_gru_forward.primitive_desc type =
            new lbr_gru_forward.primitive_desc(
                engine, kind, LEFT_TO_RIGHT, t[0], t[1], t[3], t[4], t[6], t[7], t[8]);
        forward = type;
        run = new lbr_gru_forward(type);
      }
      case GRU_RESET_BEFORE -> {
        gru_forward.primitive_desc type =
            new gru_forward.primitive_desc(
                engine, kind, LEFT_TO_RIGHT, t[0], t[1], t[3], t[4], t[6], t[7], t[8]);
        forward = type;
        run = new gru_forward(type);
      }
      default -> throw new AssertionError(shape.cell());
    }
    arguments.put(DNNL_ARG_WORKSPACE, new memory(forward.workspace_desc(), engine));
    run.execute(stream, arguments);
    stream._wait();
    return new Values(y.values(), lastH.values(), cells ? lastC.values() : null);
  }

  private int activation() {
    return shape.cell() == RecurrentShape.Cell.RNN_RELU ? dnnl_eltwise_relu : dnnl_eltwise_tanh;
  }

  private static memory.desc[] types(Argument... arguments) {
    return Arrays.stream(arguments).map(OneDnnCell::typeOf).toArray(memory.desc[]::new);
  }

  /** Goes back from gradients of outputs and last state; adds to those of the weights. */
  Values backward(Values fromAbove) {
    boolean cells = shape.cell().hasCells();
    // Forward takes weights with the gates inside, backward with the gates outside, as PyTorch has them.
    memory.format_tag layout = memory.format_tag.ldgoi;
    memory.desc[] t = forwardTypes.clone();
    t[3] = matrix(DNNL_ARG_WEIGHTS_LAYER, weights.input(), layout).type;
    t[4] = matrix(DNNL_ARG_WEIGHTS_ITER, weights.hidden(), layout).type;
    memory.format_tag ofGradients = memory.format_tag.ldigo;
    Argument x = rows(DNNL_ARG_DIFF_SRC_LAYER, new float[steps * weights.inputs()], weights.inputs());
    Argument h = state(DNNL_ARG_DIFF_SRC_ITER, new float[shape.hidden()]);
    Argument c = cells ? state(DNNL_ARG_DIFF_SRC_ITER_C, new float[shape.hidden()]) : null;
    Argument w = matrix(DNNL_ARG_DIFF_WEIGHTS_LAYER, new float[weights.input().length], ofGradients);
    Argument u = matrix(DNNL_ARG_DIFF_WEIGHTS_ITER, new float[weights.hidden().length], ofGradients);
    float[] peepholes = weights.peepholes();
    Argument p = peepholes == null ? null : vector(DNNL_ARG_DIFF_WEIGHTS_PEEPHOLE, new float[peepholes.length]);
    Argument b = vector(DNNL_ARG_DIFF_BIAS, new float[weights.bias().length]);
    Argument y = rows(DNNL_ARG_DIFF_DST_LAYER, fromAbove.rows, shape.hidden());
    Argument lastH = state(DNNL_ARG_DIFF_DST_ITER, fromAbove.h);
    Argument lastC = cells ? state(DNNL_ARG_DIFF_DST_ITER_C, fromAbove.c) : null;
    backwardPrimitive(t, types(x, h, c, w, u, p, b, y, lastH, lastC)).execute(stream, arguments);
    stream._wait();
    weights.addGradients(w.values(), u.values(), b.values(), p == null ? null : p.values());
    return new Values(x.values(), h.values(), cells ? c.values() : null);
  }

  private primitive backwardPrimitive(memory.desc[] t, memory.desc[] d) {
    int kind = dnnl_backward;
    return switch (shape.cell()) {
      case RNN_TANH, RNN_RELU ->
          new vanilla_rnn_backward(
              new vanilla_rnn_backward.primitive_desc(
                  engine, kind, activation(), LEFT_TO_RIGHT, t[0], t[1], t[3], t[4], t[6], t[7], t[8],
                  d[0], d[1], d[3], d[4], d[6], d[7], d[8], (vanilla_rnn_forward.primitive_desc) forward));
      case LSTM, LSTM_PEEPHOLES ->
          new lstm_backward(
              new lstm_backward.primitive_desc(
                  engine, kind, LEFT_TO_RIGHT, t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], t[9],
                  d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8], d[9],
                  (lstm_forward.primitive_desc) forward));
      case GRU ->
          new lbr_gru_backward(
              new lbr_gru_backward.primitive_desc(
                  engine, kind, LEFT_TO_RIGHT, t[0], t[1], t[3], t[4], t[6], t[7], t[8],
                  d[0], d[1], d[3], d[4], d[6], d[7], d[8], (lbr_gru_forward.primitive_desc) forward));
      case GRU_RESET_BEFORE ->
          new gru_backward(
              new gru_backward.primitive_desc(
                  engine, kind, LEFT_TO_RIGHT, t[0], t[1], t[3], t[4], t[6], t[7], t[8],
                  d[0], d[1], d[3], d[4], d[6], d[7], d[8], (gru_forward.primitive_desc) forward));
      default -> throw new AssertionError(shape.cell());
    };
  }
}
