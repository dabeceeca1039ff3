package dev.unroll.sequence;

import dev.unroll.internal.Checks;
import dev.unroll.internal.PackedOrder.Strides;
import java.lang.reflect.Array;
import java.util.Arrays;

/** How a padded batch is laid out. */
public enum PaddedOrder {
  /** [sequences][steps][features]: PyTorch's {@code batch_first=True}, Keras. */
  BATCH_FIRST,
  /** [steps][sequences][features]: PyTorch's default, ONNX. */
  TIME_FIRST;

  /** The first index of a step of a sequence in nested arrays; of two such indices, the sequence. */
  int outer(int sequence, int step) {
    return this == BATCH_FIRST ? sequence : step;
  }

  /** The second index; of two such indices, the step. */
  int inner(int sequence, int step) {
    return this == BATCH_FIRST ? step : sequence;
  }

  /** Where the steps are if all values stand one after the other. */
  Strides strides(int sequences, int totalSteps, int features) {
    return this == BATCH_FIRST
        ? new Strides((long) totalSteps * features, features)
        : new Strides(features, (long) sequences * features);
  }

  /**
   * Checks nested arrays, of which the first two dimensions are those of this order, against lengths.
   *
   * @param padded arrays that nobody else changes
   */
  void checkNested(Object[] padded, int[] lengths) {
    if (this == BATCH_FIRST) {
      Checks.equal("number of sequences of padded", padded.length, lengths.length);
    }
    for (int i = 0; i < padded.length; i++) {
      String name = "padded[" + i + "]";
      int inner = Array.getLength(Checks.notNull(name, padded[i]));
      if (this == BATCH_FIRST) {
        checkLength(lengths, i, inner);
      } else {
        Checks.equal("number of sequences of " + name, inner, lengths.length);
      }
    }
    for (int b = 0; this == TIME_FIRST && b < lengths.length; b++) {
      checkLength(lengths, b, padded.length);
    }
  }

  /** Checks the lengths of a padded batch of so many values in all, and returns its steps. */
  static int checkFlat(int size, int[] lengths, int features) {
    long perStep = (long) lengths.length * features;
    boolean whole = perStep == 0 ? size == 0 : size % perStep == 0;
    String expected = "a multiple of sequences * features = " + lengths.length + " * " + features;
    Checks.require(whole, "size of padded", size, expected);
    int steps = perStep == 0 ? 0 : (int) (size / perStep);
    for (int b = 0; b < lengths.length; b++) {
      checkLength(lengths, b, steps);
    }
    return steps;
  }

  /** Checks the size of a padded batch that is to be written; the product may be beyond a long. */
  static void checkSize(String name, int size, int sequences, int totalSteps, int features) {
    long cells = Math.multiplyFull(sequences, totalSteps);
    if (cells > size || cells * features != size) {
      String expected = "sequences * totalSteps * features = " + sequences + " * " + totalSteps + " * " + features;
      throw Checks.unexpected("size of " + name, size, expected);
    }
  }

  private static void checkLength(int[] lengths, int b, int steps) {
    if (lengths[b] < 0 || lengths[b] > steps) {
      throw Checks.unexpected("lengths[" + b + "]", lengths[b], "0 to " + steps + ", the padded steps");
    }
  }

  /** The lengths that a mask says; the mask is an array that nobody else changes. */
  int[] maskLengths(boolean[][] mask) {
    int sequences = this == BATCH_FIRST ? mask.length : mask.length == 0 ? 0 : width(mask, 0);
    int[] lengths = new int[sequences];
    for (int outer = 0; outer < mask.length; outer++) {
      int width = width(mask, outer);
      if (this == TIME_FIRST) {
        Checks.equal("number of sequences of mask[" + outer + "]", width, sequences);
      }
      for (int inner = 0; inner < width; inner++) {
        int sequence = outer(outer, inner);
        int step = inner(outer, inner);
        if (mask[outer][inner] && lengths[sequence]++ != step) {
          String real = "mask[" + outer + "][" + inner + "]";
          int hole = lengths[sequence] - 1;
          String padding = "mask[" + outer(sequence, hole) + "][" + inner(sequence, hole) + "] is padding";
          throw Checks.unexpected(real, "true", "false, since " + padding + " of the same sequence");
        }
      }
    }
    return lengths;
  }

  private static int width(boolean[][] mask, int outer) {
    return Checks.notNull("mask[" + outer + "]", mask[outer]).length;
  }

  /** The steps of every sequence, the real ones at least; arrays of steps are not copied. */
  float[][][] unpad(float[][][] given, int[] lengths) {
    float[][][] padded = given.clone();
    checkNested(padded, lengths);
    if (this == BATCH_FIRST) {
      return padded;
    }
    float[][][] sequences = new float[lengths.length][][];
    for (int b = 0; b < lengths.length; b++) {
      sequences[b] = new float[lengths[b]][];
      for (int t = 0; t < lengths[b]; t++) {
        sequences[b][t] = padded[t][b];
      }
    }
    return sequences;
  }

  /** How messages name a step of a padded batch. */
  String nameOfStep(int sequence, int step) {
    return "padded[" + outer(sequence, step) + "][" + inner(sequence, step) + "]";
  }

  /** The opposite, with a value for the steps that are not real. */
  float[][][] pad(float[][][] sequences, int totalSteps, int features, float padding) {
    boolean batchFirst = this == BATCH_FIRST;
    float[][][] padded =
        new float[batchFirst ? sequences.length : totalSteps][batchFirst ? totalSteps : sequences.length][];
    for (int b = 0; b < sequences.length; b++) {
      for (int t = 0; t < totalSteps; t++) {
        padded[outer(b, t)][inner(b, t)] = t < sequences[b].length ? sequences[b][t] : filled(features, padding);
      }
    }
    return padded;
  }

  private static float[] filled(int features, float padding) {
    float[] step = new float[features];
    Arrays.fill(step, padding);
    return step;
  }
}
