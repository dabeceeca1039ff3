package dev.unroll.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.sequence.PackedSequence;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** All gradients of recurrent layers agree with central differences of a double-precision reference. */
class RecurrentGradientTest {
  /**
   * Of the largest element of a tensor: gradients are sums of terms of about that size, each rounded to float (6e-8), over up
   * to a few hundred terms.
   */
  private static final double TOLERANCE = 1e-4;

  /** A layer on a batch; sizes cross the edges of register tiles (6 or 8 rows, 16 columns). */
  record Case(
      long seed, Rnn.Activation activation, int inputs, int hidden, int layers, boolean bidirectional, boolean bias,
      int[] lengths) {
    @Override
    public String toString() {
      return String.format(
          "seed %d: %s %d to %d, %d layers%s%s, lengths %s",
          seed, activation, inputs, hidden, layers, bidirectional ? ", bidirectional" : "", bias ? "" : ", no bias",
          Arrays.toString(lengths));
    }
  }

  static Stream<Case> cases() {
    int[] sizes = {1, 2, 7, 8, 15, 16, 17, 33};
    return Stream.iterate(1L, seed -> seed + 1)
        .limit(24)
        .map(
            seed -> {
              Random random = new Random(seed);
              return new Case(
                  seed,
                  seed % 6 == 0 ? Rnn.Activation.RELU : Rnn.Activation.TANH,
                  sizes[random.nextInt(sizes.length)],
                  sizes[random.nextInt(sizes.length)],
                  1 + random.nextInt(2),
                  random.nextBoolean(),
                  random.nextInt(4) > 0,
                  RandomArrays.lengths(random, 1 + random.nextInt(9), 6));
            });
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void gradientsEqualCentralDifferences(Case c) {
    Random random = new Random(c.seed);
    int directions = c.bidirectional ? 2 : 1;
    int entries = c.layers * directions;
    try (Rnn layer =
        Rnn.builder(c.inputs, c.hidden)
            .activation(c.activation)
            .layers(c.layers)
            .bidirectional(c.bidirectional)
            .bias(c.bias)
            .seed(c.seed)
            .build()) {
      float[][][] input = RandomArrays.sequences(random, c.lengths, c.inputs);
      float[][][] initial = RandomArrays.state(random, entries, c.lengths.length, c.hidden);
      float[][][] outputWeights = RandomArrays.sequences(random, c.lengths, directions * c.hidden);
      float[][][] finalWeights = RandomArrays.state(random, entries, c.lengths.length, c.hidden);
      ReferenceRecurrent reference =
          new ReferenceRecurrent(
              c.activation == Rnn.Activation.TANH ? ReferenceRecurrent.TANH : ReferenceRecurrent.RELU, layer);
      reference.input = ReferenceRecurrent.widen(input);
      reference.initial = ReferenceRecurrent.widen(initial);
      reference.outputWeights = ReferenceRecurrent.widen(outputWeights);
      reference.finalWeights = ReferenceRecurrent.widen(finalWeights);

      try (PackedSequence x = PackedSequence.of(input, c.inputs);
          State h0 = State.of(initial);
          RecurrentOutput output = layer.forward(x, h0);
          PackedSequence dOutputs = PackedSequence.of(outputWeights, directions * c.hidden);
          State dFinal = State.of(finalWeights)) {
        assertEquals(reference.loss(), loss(output, outputWeights, finalWeights), TOLERANCE * (1 + rows(c) * c.hidden));
        try (RecurrentGradients gradients = layer.backward(output, dOutputs, dFinal)) {
          for (Parameter parameter : layer.parameters()) {
            double[] expected = reference.differences(reference.weights.get(parameter.name()));
            assertClose(parameter.name(), expected, parameter.gradient());
          }
          compare("input", reference, reference.input, gradients.input().toArrays());
          compare("initial state", reference, reference.initial, gradients.initialState().hidden());
        }
      }
    }
  }

  private static int rows(Case c) {
    return Arrays.stream(c.lengths).sum();
  }

  private static double loss(RecurrentOutput output, float[][][] outputWeights, float[][][] finalWeights) {
    return dot(output.outputs().toArrays(), outputWeights) + dot(output.finalState().hidden(), finalWeights);
  }

  private static double dot(float[][][] a, float[][][] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[i].length; j++) {
        for (int k = 0; k < a[i][j].length; k++) {
          sum += (double) a[i][j][k] * b[i][j][k];
        }
      }
    }
    return sum;
  }

  private static void compare(String name, ReferenceRecurrent reference, double[][][] values, float[][][] actual) {
    for (int i = 0; i < values.length; i++) {
      for (int j = 0; j < values[i].length; j++) {
        assertClose(name + "[" + i + "][" + j + "]", reference.differences(values[i][j]), actual[i][j]);
      }
    }
  }

  private static void assertClose(String name, double[] expected, float[] actual) {
    double largest = Arrays.stream(expected).map(Math::abs).max().orElse(0);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], actual[i], TOLERANCE * Math.max(largest, 1e-3), name + " element " + i);
    }
  }
}
