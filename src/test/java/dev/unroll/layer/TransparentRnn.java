package dev.unroll.layer;

import dev.unroll.sequence.PackedSequence;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Two relu layers, or more, that pass positive inputs on unchanged: what comes out of ones shows what dropout does. */
final class TransparentRnn {
  private TransparentRnn() {}

  static Rnn of(int size, double dropout) {
    return of(2, size, dropout, 0);
  }

  static Rnn of(int layers, int size, double dropout, long seed) {
    Rnn.Builder relu = Rnn.builder(size, size).activation(Rnn.Activation.RELU);
    Rnn layer = relu.layers(layers).bias(false).dropout(dropout).seed(seed).build();
    float[] identity = new float[size * size];
    IntStream.range(0, size).forEach(i -> identity[i * size + i] = 1);
    for (Parameter parameter : layer.parameters()) {
      parameter.set(parameter.name().startsWith("weight_ih") ? identity : new float[size * size]);
    }
    return layer;
  }

  /** What dropout multiplies the outputs of the first of two layers by: 0 or 1 / (1 - p). */
  static float[][][] mask(double dropout, int[] lengths, int size, long seed, long key) {
    try (Rnn layer = of(2, size, dropout, seed);
        PackedSequence ones = PackedSequence.of(ones(lengths, size), size);
        RecurrentOutput output = layer.forwardTraining(ones, null, key)) {
      return output.outputs().toArrays();
    }
  }

  static float[][][] ones(int[] lengths, int size) {
    return Arrays.stream(lengths).mapToObj(length -> ones(length, size)).toArray(float[][][]::new);
  }

  private static float[][] ones(int steps, int size) {
    float[][] rows = new float[steps][size];
    Arrays.stream(rows).forEach(row -> Arrays.fill(row, 1));
    return rows;
  }
}
