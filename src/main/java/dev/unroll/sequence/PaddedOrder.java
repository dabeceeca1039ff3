package dev.unroll.sequence;

import dev.unroll.internal.Checks;
import java.util.Arrays;

/** How a padded batch is laid out. */
public enum PaddedOrder {
  /** [sequences][steps][features]: PyTorch's {@code batch_first=True}, Keras. */
  BATCH_FIRST {
    @Override
    float[] step(float[][][] padded, int sequence, int step) {
      return Checks.notNull("padded[" + sequence + "]", padded[sequence])[step];
    }

    @Override
    int sequences(float[][][] padded, int given) {
      return padded.length;
    }

    @Override
    int steps(float[][][] padded, int sequence) {
      return Checks.notNull("padded[" + sequence + "]", padded[sequence]).length;
    }

    @Override
    float[][][] transpose(float[][][] sequences, int totalSteps) {
      return sequences;
    }
  },
  /** [steps][sequences][features]: PyTorch's default, ONNX. */
  TIME_FIRST {
    @Override
    float[] step(float[][][] padded, int sequence, int step) {
      return padded[step][sequence];
    }

    @Override
    int sequences(float[][][] padded, int given) {
      for (int t = 0; t < padded.length; t++) {
        String step = "padded[" + t + "]";
        Checks.equal("number of sequences of " + step, Checks.notNull(step, padded[t]).length, given);
      }
      return given;
    }

    @Override
    int steps(float[][][] padded, int sequence) {
      return padded.length;
    }

    @Override
    float[][][] transpose(float[][][] sequences, int totalSteps) {
      float[][][] timeFirst = new float[totalSteps][sequences.length][];
      for (int t = 0; t < totalSteps; t++) {
        for (int b = 0; b < sequences.length; b++) {
          timeFirst[t][b] = sequences[b][t];
        }
      }
      return timeFirst;
    }
  };

  abstract float[] step(float[][][] padded, int sequence, int step);

  /** Counts the sequences of a padded batch, which must be as many as were given lengths. */
  abstract int sequences(float[][][] padded, int given);

  abstract int steps(float[][][] padded, int sequence);

  /** Lays out [sequences][totalSteps][features] in this order. */
  abstract float[][][] transpose(float[][][] sequences, int totalSteps);

  /** The real steps of every sequence; arrays of steps are not copied. */
  float[][][] unpad(float[][][] padded, int[] lengths) {
    Checks.equal("number of sequences of padded", sequences(padded, lengths.length), lengths.length);
    float[][][] sequences = new float[lengths.length][][];
    for (int b = 0; b < lengths.length; b++) {
      int length = lengths[b];
      int steps = steps(padded, b);
      boolean inRange = length >= 0 && length <= steps;
      Checks.require(inRange, "lengths[" + b + "]", length, "0 to " + steps + ", the padded steps");
      sequences[b] = new float[length][];
      for (int t = 0; t < length; t++) {
        sequences[b][t] = step(padded, b, t);
      }
    }
    return sequences;
  }

  /** The opposite, with a value for the steps that are not real. */
  float[][][] pad(float[][][] sequences, int totalSteps, int features, float padding) {
    float[][][] padded = new float[sequences.length][][];
    for (int b = 0; b < sequences.length; b++) {
      padded[b] = Arrays.copyOf(sequences[b], totalSteps);
      for (int t = sequences[b].length; t < totalSteps; t++) {
        padded[b][t] = new float[features];
        Arrays.fill(padded[b][t], padding);
      }
    }
    return transpose(padded, totalSteps);
  }
}
