package dev.unroll.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.sequence.PackedSequence;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Outputs and all gradients of recurrent layers agree with a double-precision reference and its differences. */
class RecurrentGradientTest {
  /**
   * Of the largest element of a tensor: gradients are sums of terms of about that size, each rounded to float (6e-8),
   * over up to a few hundred terms.
   */
  private static final double TOLERANCE = 1e-4;

  /** A kind of layer: its formulas, and how it is built for a case. */
  enum Kind {
    RNN_TANH(ReferenceCells.TANH, c -> c.options(Rnn.builder(c.inputs, c.hidden))),
    RNN_RELU(ReferenceCells.RELU, c -> c.options(Rnn.builder(c.inputs, c.hidden).activation(Rnn.Activation.RELU))),
    LSTM(ReferenceCells.LSTM, c -> c.options(Lstm.builder(c.inputs, c.hidden))),
    LSTM_PEEPHOLES(ReferenceCells.LSTM, c -> c.options(Lstm.builder(c.inputs, c.hidden).peepholes(true))),
    LSTM_COUPLED(
        ReferenceCells.LSTM_COUPLED,
        c -> c.options(Lstm.builder(c.inputs, c.hidden).coupledInputForget(true).peepholes(c.bias))),
    LSTM_PROJECTED(
        ReferenceCells.LSTM, c -> c.options(Lstm.builder(c.inputs, c.hidden + 1).projectionSize((c.hidden + 1) / 2))),
    GRU(ReferenceCells.GRU, c -> c.options(Gru.builder(c.inputs, c.hidden))),
    GRU_RESET_BEFORE(
        ReferenceCells.GRU_RESET_BEFORE, c -> c.options(Gru.builder(c.inputs, c.hidden).resetBefore(true)));

    final ReferenceCells.Cell reference;
    final Function<Case, Recurrent> build;

    Kind(ReferenceCells.Cell reference, Function<Case, Recurrent> build) {
      this.reference = reference;
      this.build = build;
    }
  }

  /** A layer on a batch; sizes cross the edges of register tiles (6 or 8 rows, 16 columns). */
  record Case(
      long seed,
      Kind kind,
      int inputs,
      int hidden,
      int layers,
      boolean bidirectional,
      boolean summed,
      boolean bias,
      double dropout,
      int[] lengths) {
    <B extends RecurrentBuilder<B, L>, L extends Recurrent> L options(B builder) {
      return builder
          .layers(layers)
          .bidirectional(bidirectional)
          .sumDirections(summed)
          .bias(bias)
          .dropout(dropout)
          .seed(seed)
          .build();
    }

    @Override
    public String toString() {
      return String.format(
          "seed %d: %s %d to %d, %d layers%s%s%s%s, lengths %s",
          seed,
          kind,
          inputs,
          hidden,
          layers,
          bidirectional ? ", bidirectional" : "",
          bidirectional && summed ? ", summed" : "",
          bias ? "" : ", no bias",
          layers > 1 && dropout > 0 ? ", dropout " + dropout : "",
          Arrays.toString(lengths));
    }
  }

  static Stream<Case> cases() {
    int[] sizes = {1, 2, 7, 8, 15, 16, 17, 33};
    return IntStream.range(0, 8 * Kind.values().length).mapToObj(seed -> randomCase(seed, sizes));
  }

  private static Case randomCase(int seed, int[] sizes) {
    Random random = new Random(seed);
    Kind kind = Kind.values()[seed % Kind.values().length];
    int inputs = sizes[random.nextInt(sizes.length)];
    // Differences cost a forward pass for each of the up to 4 H^2 weights of each layer and direction.
    int hidden = sizes[random.nextInt(kind.ordinal() < 2 ? sizes.length : sizes.length - 1)];
    boolean large = hidden > 8;
    return new Case(
        seed,
        kind,
        inputs,
        hidden,
        large ? 1 : 1 + random.nextInt(2),
        random.nextBoolean(),
        random.nextInt(3) == 0,
        random.nextInt(4) > 0,
        random.nextInt(3) == 0 ? 0.4 : 0,
        RandomArrays.lengths(random, 1 + random.nextInt(large ? 5 : 9), 5));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void gradientsEqualCentralDifferences(Case c) {
    Random random = new Random(c.seed);
    try (Recurrent layer = c.kind.build.apply(c)) {
      int entries = c.layers * (c.bidirectional ? 2 : 1);
      int state = layer.outputSize() / (c.bidirectional && !c.summed ? 2 : 1);
      int sequences = c.lengths.length;
      boolean cells = layer instanceof Lstm;
      float[][][] input = RandomArrays.sequences(random, c.lengths, c.inputs);
      float[][][] initial = RandomArrays.state(random, entries, sequences, state);
      float[][][] initialCells = RandomArrays.state(random, entries, sequences, layer.hiddenSize());
      float[][][] outputWeights = RandomArrays.sequences(random, c.lengths, layer.outputSize());
      float[][][] finalWeights = RandomArrays.state(random, entries, sequences, state);
      float[][][] finalCellWeights = RandomArrays.state(random, entries, sequences, layer.hiddenSize());
      ReferenceRecurrent reference = new ReferenceRecurrent(c.kind.reference, layer);
      reference.input = ReferenceRecurrent.widen(input);
      reference.initial = ReferenceRecurrent.widen(initial);
      reference.initialCells = cells ? ReferenceRecurrent.widen(initialCells) : null;
      reference.outputWeights = ReferenceRecurrent.widen(outputWeights);
      reference.finalWeights = ReferenceRecurrent.widen(finalWeights);
      reference.finalCellWeights = ReferenceRecurrent.widen(finalCellWeights);
      reference.summed = c.bidirectional && c.summed;
      reference.mask =
          c.dropout > 0 ? TransparentRnn.mask(c.dropout, c.lengths, layer.outputSize(), c.seed, c.seed) : null;

      try (PackedSequence x = PackedSequence.of(input, c.inputs);
          State h0 = cells ? State.of(initial, initialCells) : State.of(initial);
          RecurrentOutput output = layer.forwardTraining(x, h0, c.seed);
          PackedSequence dOutputs = PackedSequence.of(outputWeights, layer.outputSize());
          State dFinal = cells ? State.of(finalWeights, finalCellWeights) : State.of(finalWeights)) {
        double loss = dot(output.outputs().toArrays(), outputWeights) + dot(output.finalState().hidden(), finalWeights);
        if (cells) {
          loss += dot(output.finalState().cells(), finalCellWeights);
        }
        int terms = Arrays.stream(c.lengths).sum() * layer.outputSize() + 2 * entries * sequences * c.hidden;
        assertEquals(reference.loss(), loss, 1e-6 * (1 + terms), "loss");

        try (RecurrentGradients gradients = layer.backward(output, dOutputs, dFinal)) {
          for (Parameter parameter : layer.parameters()) {
            double[] expected = reference.differences(reference.weights.get(parameter.name()));
            assertClose(parameter.name(), expected, parameter.gradient());
          }
          compare("input", reference, reference.input, gradients.input().toArrays());
          compare("initial state", reference, reference.initial, gradients.initialState().hidden());
          if (cells) {
            compare("initial cells", reference, reference.initialCells, gradients.initialState().cells());
          }
        }
      }
    }
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
