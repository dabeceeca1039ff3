package dev.unroll.layer;

import java.util.Random;

/** Random test data; a test names its seed, so that a failure can be repeated. */
final class RandomArrays {
  private RandomArrays() {}

  /** Uniform in [-1, 1). */
  static float[] vector(Random random, int size) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = random.nextFloat() * 2 - 1;
    }
    return values;
  }

  static float[][] matrix(Random random, int rows, int columns) {
    float[][] values = new float[rows][];
    for (int i = 0; i < rows; i++) {
      values[i] = vector(random, columns);
    }
    return values;
  }

  /** One matrix a sequence, of the given lengths. */
  static float[][][] sequences(Random random, int[] lengths, int features) {
    float[][][] values = new float[lengths.length][][];
    for (int i = 0; i < values.length; i++) {
      values[i] = matrix(random, lengths[i], features);
    }
    return values;
  }

  static float[][][] state(Random random, int entries, int sequences, int hidden) {
    float[][][] values = new float[entries][][];
    for (int i = 0; i < entries; i++) {
      values[i] = matrix(random, sequences, hidden);
    }
    return values;
  }

  static int[] lengths(Random random, int sequences, int longest) {
    return random.ints(sequences, 0, longest + 1).toArray();
  }
}
