package dev.unroll.peers;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.PointerScope;

/**
 * oneDNN: every sequence alone, for it takes only sequences of one length; directions and layers are put together
 * here. It has gradients of peepholes and of the reset gate before the product, which PyTorch lacks, and none of
 * projections.
 */
final class OneDnn implements Peer {
  private final engine processor = new engine(dnnl.dnnl_cpu, 0);
  private final stream stream = new stream(processor);

  @Override
  public String name() {
    return "oneDNN " + dnnl.DNNL_VERSION_MAJOR + "." + dnnl.DNNL_VERSION_MINOR + "." + dnnl.DNNL_VERSION_PATCH;
  }

  @Override
  public boolean computes(RecurrentShape.Cell cell) {
    return switch (cell) {
      case RNN_TANH, RNN_RELU, LSTM, LSTM_PEEPHOLES, GRU, GRU_RESET_BEFORE -> true;
      case LSTM_PROJECTED, LSTM_COUPLED -> false;
    };
  }

  @Override
  public boolean trains() {
    return true;
  }

  @Override
  public Map<String, float[]> run(RecurrentCase problem) {
    return new Run(problem).results();
  }

  /** One forward and backward pass. */
  private final class Run {
    private final RecurrentCase problem;
    private final RecurrentShape shape;
    private final int hidden;
    private final List<OneDnnWeights> weights = new ArrayList<>();
    private final Map<String, float[]> results = new LinkedHashMap<>();

    Run(RecurrentCase problem) {
      this.problem = problem;
      shape = problem.shape();
      hidden = shape.hidden();
      for (int entry = 0; entry < shape.entries(); entry++) {
        weights.add(new OneDnnWeights(problem, entry / shape.directions(), entry % shape.directions()));
      }
    }

    @SuppressWarnings("try") // the scope works by being open
    Map<String, float[]> results() {
      results.put(RecurrentCase.OUTPUT, new float[shape.rows() * shape.outputSize()]);
      results.put(RecurrentCase.GRADIENT + RecurrentCase.INPUT, new float[shape.rows() * shape.inputs()]);
      // A sequence without steps passes its state through, and so the gradient.
      putState(RecurrentCase.FINAL_H, RecurrentCase.INITIAL_H);
      putState(RecurrentCase.GRADIENT + RecurrentCase.INITIAL_H, RecurrentCase.FROM_FINAL_H);
      if (shape.cell().hasCells()) {
        putState(RecurrentCase.FINAL_C, RecurrentCase.INITIAL_C);
        putState(RecurrentCase.GRADIENT + RecurrentCase.INITIAL_C, RecurrentCase.FROM_FINAL_C);
      }
      int row = 0;
      for (int b = 0; b < shape.sequences(); b++) {
        if (shape.lengths()[b] > 0) {
          try (PointerScope scope = new PointerScope()) {
            runSequence(b, row);
          }
        }
        row += shape.lengths()[b];
      }
      weights.forEach(w -> w.putGradients(results));
      return results;
    }

    private void putState(String name, String start) {
      float[] given = problem.given(start);
      results.put(name, given == null ? new float[shape.entries() * shape.sequences() * hidden] : given.clone());
    }

    private void runSequence(int sequence, int firstRow) {
      int steps = shape.lengths()[sequence];
      int outputs = shape.outputSize();
      List<OneDnnCell> cells = new ArrayList<>();
      float[] x = slice(problem.given(RecurrentCase.INPUT), firstRow * shape.inputs(), steps * shape.inputs());
      for (int layer = 0; layer < shape.layers(); layer++) {
        float[] y = new float[steps * outputs];
        for (int d = 0; d < shape.directions(); d++) {
          int entry = layer * shape.directions() + d;
          OneDnnCell cell = new OneDnnCell(processor, stream, shape, weights.get(entry), steps);
          cells.add(cell);
          float[] rows = columns(x, steps, x.length / steps, 0, x.length / steps, d == 1);
          OneDnnCell.Values last =
              cell.forward(state(rows, RecurrentCase.FINAL_H, RecurrentCase.FINAL_C, entry, sequence));
          addColumns(last.rows(), y, steps, outputs, d * hidden, hidden, d == 1);
          store(last, RecurrentCase.FINAL_H, RecurrentCase.FINAL_C, entry, sequence);
        }
        x = y;
      }
      System.arraycopy(x, 0, results.get(RecurrentCase.OUTPUT), firstRow * outputs, x.length);
      float[] fromOutput = problem.given(RecurrentCase.FROM_OUTPUT);
      float[] gradient =
          fromOutput == null ? new float[steps * outputs] : slice(fromOutput, firstRow * outputs, steps * outputs);
      gradient = backward(cells, gradient, sequence);
      float[] ofInput = results.get(RecurrentCase.GRADIENT + RecurrentCase.INPUT);
      System.arraycopy(gradient, 0, ofInput, firstRow * shape.inputs(), gradient.length);
    }

    private float[] backward(List<OneDnnCell> cells, float[] fromOutput, int sequence) {
      String ofH = RecurrentCase.GRADIENT + RecurrentCase.INITIAL_H;
      String ofC = RecurrentCase.GRADIENT + RecurrentCase.INITIAL_C;
      int steps = shape.lengths()[sequence];
      float[] gradient = fromOutput;
      for (int layer = shape.layers() - 1; layer >= 0; layer--) {
        int inputs = shape.inputs(layer);
        float[] below = new float[steps * inputs];
        for (int d = 0; d < shape.directions(); d++) {
          int entry = layer * shape.directions() + d;
          float[] rows = columns(gradient, steps, shape.outputSize(), d * hidden, hidden, d == 1);
          OneDnnCell.Values first = cells.get(entry).backward(state(rows, ofH, ofC, entry, sequence));
          addColumns(first.rows(), below, steps, inputs, 0, inputs, d == 1);
          store(first, ofH, ofC, entry, sequence);
        }
        gradient = below;
      }
      return gradient;
    }

    /** The state that a result starts from: it is overwritten by what comes out. */
    private OneDnnCell.Values state(float[] rows, String h, String c, int entry, int sequence) {
      int start = (entry * shape.sequences() + sequence) * hidden;
      float[] cells = shape.cell().hasCells() ? slice(results.get(c), start, hidden) : null;
      return new OneDnnCell.Values(rows, slice(results.get(h), start, hidden), cells);
    }

    private void store(OneDnnCell.Values values, String h, String c, int entry, int sequence) {
      int start = (entry * shape.sequences() + sequence) * hidden;
      System.arraycopy(values.h(), 0, results.get(h), start, hidden);
      if (values.c() != null) {
        System.arraycopy(values.c(), 0, results.get(c), start, hidden);
      }
    }
  }

  private static float[] slice(float[] values, int start, int size) {
    return Arrays.copyOfRange(values, start, start + size);
  }

  /** Some columns of a matrix, its rows reversed or not. */
  private static float[] columns(float[] matrix, int rows, int width, int first, int count, boolean reverse) {
    float[] part = new float[rows * count];
    for (int t = 0; t < rows; t++) {
      int from = reverse ? rows - 1 - t : t;
      System.arraycopy(matrix, from * width + first, part, t * count, count);
    }
    return part;
  }

  /** Adds to some columns of a matrix what {@link #columns} would take from there. */
  private static void addColumns(
      float[] part, float[] matrix, int rows, int width, int first, int count, boolean reverse) {
    for (int t = 0; t < rows; t++) {
      int to = reverse ? rows - 1 - t : t;
      for (int j = 0; j < count; j++) {
        matrix[to * width + first + j] += part[t * count + j];
      }
    }
  }
}
