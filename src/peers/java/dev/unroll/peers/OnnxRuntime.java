package dev.unroll.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * ONNX Runtime, forward only: one run of the model for each layer. It has what PyTorch lacks, peepholes, coupled gates
 * and the reset gate before the product, but no projection, and takes no sequence of length 0.
 */
final class OnnxRuntime implements Peer {
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();

  @Override
  public String name() {
    return "ONNX Runtime " + environment.getVersion();
  }

  @Override
  public boolean computes(RecurrentShape.Cell cell) {
    return cell != RecurrentShape.Cell.LSTM_PROJECTED;
  }

  @Override
  public boolean trains() {
    return false;
  }

  @Override
  public Map<String, float[]> run(RecurrentCase problem) {
    try {
      return new Run(problem).results();
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }

  /** One forward pass. */
  private final class Run {
    private final RecurrentCase problem;
    private final RecurrentShape shape;
    private final PackedRows packed;
    private final long[] batchSizes;

    Run(RecurrentCase problem) {
      this.problem = problem;
      shape = problem.shape();
      packed = new PackedRows(shape.lengths());
      batchSizes = packed.batchSizes();
    }

    Map<String, float[]> results() throws OrtException {
      int sequences = packed.sequences();
      int hidden = shape.hidden();
      int directions = shape.directions();
      float[] x = pad(packed.pack(problem.given(RecurrentCase.INPUT), shape.inputs()), shape.inputs());
      float[] h = initial(RecurrentCase.INITIAL_H);
      float[] c = initial(RecurrentCase.INITIAL_C);
      float[] finalH = new float[shape.entries() * sequences * hidden];
      float[] finalC = new float[finalH.length];
      byte[] model = OnnxModel.ofLayer(shape);
      try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
        options.setIntraOpNumThreads(1);
        try (OrtSession session = environment.createSession(model, options)) {
          for (int layer = 0; layer < shape.layers(); layer++) {
            Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
            float[] stateH = packed.packState(h, shape.entries(), hidden);
            float[] stateC = packed.packState(c, shape.entries(), hidden);
            int start = layer * directions * sequences * hidden;
            try {
              put(inputs, "X", FloatBuffer.wrap(x), batchSizes.length, sequences, shape.inputs(layer));
              inputs.put("lengths", lengths());
              putState(inputs, "initial_h", stateH, start);
              if (shape.cell().hasCells()) {
                putState(inputs, "initial_c", stateC, start);
              }
              for (OnnxModel.Weight weight : OnnxModel.weights(problem, layer)) {
                put(inputs, weight.name(), FloatBuffer.wrap(weight.values()), weight.dimensions());
              }
              try (OrtSession.Result result = session.run(inputs)) {
                x = nextInput(floats(result, "Y"));
                copy(floats(result, "Y_h"), finalH, start);
                if (shape.cell().hasCells()) {
                  copy(floats(result, "Y_c"), finalC, start);
                }
              }
            } finally {
              inputs.values().forEach(OnnxTensor::close);
            }
          }
        }
      }
      Map<String, float[]> results = new LinkedHashMap<>();
      results.put(RecurrentCase.OUTPUT, packed.unpack(unpad(x, shape.outputSize()), shape.outputSize()));
      results.put(RecurrentCase.FINAL_H, packed.unpackState(finalH, h, shape.entries(), hidden));
      if (shape.cell().hasCells()) {
        results.put(RecurrentCase.FINAL_C, packed.unpackState(finalC, c, shape.entries(), hidden));
      }
      return results;
    }

    private float[] initial(String name) {
      float[] given = problem.given(name);
      return given != null ? given : new float[shape.entries() * shape.sequences() * shape.hidden()];
    }

    private OnnxTensor lengths() throws OrtException {
      int[] lengths = new int[packed.sequences()];
      for (long size : batchSizes) {
        for (int b = 0; b < size; b++) {
          lengths[b]++;
        }
      }
      return OnnxTensor.createTensor(environment, IntBuffer.wrap(lengths), new long[] {lengths.length});
    }

    private void putState(Map<String, OnnxTensor> inputs, String name, float[] state, int start) throws OrtException {
      int size = shape.directions() * packed.sequences() * shape.hidden();
      FloatBuffer values = FloatBuffer.wrap(Arrays.copyOfRange(state, start, start + size));
      put(inputs, name, values, shape.directions(), packed.sequences(), shape.hidden());
    }

    private void put(Map<String, OnnxTensor> inputs, String name, FloatBuffer values, long... dimensions)
        throws OrtException {
      inputs.put(name, OnnxTensor.createTensor(environment, values, dimensions));
    }

    /** [steps, directions, sequences, hidden] to [steps, sequences, directions * hidden]. */
    private float[] nextInput(FloatBuffer y) {
      int hidden = shape.hidden();
      float[] x = new float[y.remaining()];
      for (int t = 0; t < batchSizes.length; t++) {
        for (int d = 0; d < shape.directions(); d++) {
          for (int b = 0; b < packed.sequences(); b++) {
            y.get(x, ((t * packed.sequences() + b) * shape.directions() + d) * hidden, hidden);
          }
        }
      }
      return x;
    }

    private float[] pad(float[] rows, int features) {
      float[] padded = new float[batchSizes.length * packed.sequences() * features];
      int from = 0;
      for (int t = 0; t < batchSizes.length; t++) {
        int size = (int) batchSizes[t] * features;
        System.arraycopy(rows, from, padded, t * packed.sequences() * features, size);
        from += size;
      }
      return padded;
    }

    private float[] unpad(float[] padded, int features) {
      float[] rows = new float[packed.rows() * features];
      int to = 0;
      for (int t = 0; t < batchSizes.length; t++) {
        int size = (int) batchSizes[t] * features;
        System.arraycopy(padded, t * packed.sequences() * features, rows, to, size);
        to += size;
      }
      return rows;
    }
  }

  private static FloatBuffer floats(OrtSession.Result result, String name) {
    return ((OnnxTensor) result.get(name).orElseThrow()).getFloatBuffer();
  }

  private static void copy(FloatBuffer from, float[] to, int start) {
    from.get(to, start, from.remaining());
  }
}
