package dev.unroll.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.Unroll;
import dev.unroll.sequence.PackedSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A sequence's results have the same bits whatever else is in the batch, in any order, on any number of threads. */
class BatchInvarianceTest {
  private static final int INPUTS = 19;
  private static final int HIDDEN = 70; // large enough that every pass of the batch is shared among threads
  private static final int[] LENGTHS = {7, 0, 30, 7, 1, 12, 30, 2, 9, 25, 0, 3, 18, 30, 5};

  private final Random random = new Random(21);
  private final float[][][] input = RandomArrays.sequences(random, LENGTHS, INPUTS);

  /** What comes out for some sequences, by sequence, and the gradients of the weights, which are sums over them. */
  record Results(
      float[][][] outputs, State states, float[][][] dInputs, State dInitial, List<float[]> dWeights) {
    record State(float[][][] hidden, float[][][] cells) {}
  }

  static Stream<RecurrentBuilder<?, ? extends Recurrent>> builders() {
    return Stream.of(
        Rnn.builder(INPUTS, HIDDEN),
        Lstm.builder(INPUTS, HIDDEN),
        Lstm.builder(INPUTS, HIDDEN).peepholes(true).projectionSize(33).coupledInputForget(true),
        Gru.builder(INPUTS, HIDDEN),
        Gru.builder(INPUTS, HIDDEN).resetBefore(true).sumDirections(true));
  }

  @ParameterizedTest
  @MethodSource("builders")
  void batchEqualsEachSequenceAloneAndAnyOrder(RecurrentBuilder<?, ? extends Recurrent> builder) {
    builder.layers(2);
    builder.bidirectional(true);
    int before = Unroll.threads();
    try (Recurrent layer = builder.build()) {
      List<Integer> order = IntStream.range(0, LENGTHS.length).boxed().collect(Collectors.toList());
      Unroll.threads(1);
      Results expected = run(layer, order);
      for (int b = 0; b < LENGTHS.length; b++) {
        compare(expected, b, run(layer, List.of(b)), 0);
      }
      List<Integer> shuffled = new ArrayList<>(order);
      Collections.shuffle(shuffled, random);
      for (int threads : new int[] {2, 3, 7}) {
        Unroll.threads(threads);
        Results together = run(layer, order);
        Results apart = run(layer, shuffled);
        for (int b = 0; b < LENGTHS.length; b++) {
          compare(expected, b, together, b);
          compare(expected, b, apart, shuffled.indexOf(b));
        }
        for (int i = 0; i < expected.dWeights.size(); i++) {
          assertArrayEquals(expected.dWeights.get(i), together.dWeights.get(i), layer.parameters().get(i).name());
        }
      }
    } finally {
      Unroll.threads(before);
    }
  }

  /** Nothing but what they start from tells these sequences apart: with relu, not even the gradients of their sums. */
  @Test
  void weightGradientsDoNotDependOnTheOrderOfSequencesThatDifferInTheirStatesAlone() {
    int size = 5;
    float[][] states = RandomArrays.matrix(random, 6, size);
    for (float[] state : states) {
      for (int j = 0; j < size; j++) {
        state[j] = 1 + Math.abs(state[j]);
      }
    }
    float[][][] ones = TransparentRnn.ones(new int[] {1, 1, 1, 1, 1, 1}, size);
    float[][] turned = new float[6][];
    for (int b = 0; b < 6; b++) {
      turned[b] = states[(b * 5 + 2) % 6];
    }
    try (Rnn layer = Rnn.builder(size, size).activation(Rnn.Activation.RELU).seed(4).build();
        PackedSequence x = PackedSequence.of(ones, size);
        State first = State.of(new float[][][] {states});
        State second = State.of(new float[][][] {turned})) {
      float[] quarters = new float[size * size];
      Arrays.fill(quarters, 0.25f);
      layer.parameters().forEach(p -> p.set(Arrays.copyOf(quarters, p.size())));
      float[] expected = null;
      for (State initial : List.of(first, second)) {
        try (RecurrentOutput output = layer.forward(x, initial);
            RecurrentGradients gradients = layer.backward(output, x, null)) {
          assertTrue(gradients.input().step(0, 0)[0] > 0);
        }
        float[] gradient = layer.parameter("weight_hh_l0").gradient();
        expected = expected == null ? gradient : expected;
        assertArrayEquals(expected, gradient);
        layer.zeroGradients();
      }
    }
  }

  /** More layers than run as a wave. */
  @Test
  void manyLayersGiveTheSameBitsOnAnyNumberOfThreads() {
    int before = Unroll.threads();
    try (Rnn layer = Rnn.builder(INPUTS, HIDDEN).layers(40).seed(5).build();
        PackedSequence x = PackedSequence.of(RandomArrays.sequences(random, new int[] {400}, INPUTS), INPUTS)) {
      float[][][] expected = null;
      for (int threads : new int[] {1, 2, 7}) {
        Unroll.threads(threads);
        try (RecurrentOutput output = layer.forward(x)) {
          float[][][] actual = output.outputs().toArrays();
          expected = expected == null ? actual : expected;
          assertArrayEquals(expected[0], actual[0]);
        }
      }
    } finally {
      Unroll.threads(before);
    }
  }

  private Results run(Recurrent layer, List<Integer> which) {
    // Random numbers of their own for every sequence, whatever it is run with.
    float[][][] dOutputs = RandomArrays.sequences(new Random(1), LENGTHS, layer.outputSize());
    layer.zeroGradients();
    try (State h0 = state(layer, 2, which);
        PackedSequence x = PackedSequence.of(pick(input, which), INPUTS);
        RecurrentOutput output = layer.forward(x, h0);
        PackedSequence dY = PackedSequence.of(pick(dOutputs, which), layer.outputSize());
        State dH = state(layer, 3, which);
        RecurrentGradients gradients = layer.backward(output, dY, dH)) {
      return new Results(
          output.outputs().toArrays(),
          values(output.finalState()),
          gradients.input().toArrays(),
          values(gradients.initialState()),
          layer.parameters().stream().map(Parameter::gradient).toList());
    }
  }

  private static State state(Recurrent layer, int seed, List<Integer> which) {
    int size = layer instanceof Lstm lstm && lstm.outputSize() == 2 * 33 ? 33 : HIDDEN;
    float[][][] hidden = pickEach(RandomArrays.state(new Random(seed), 4, LENGTHS.length, size), which);
    float[][][] cells = pickEach(RandomArrays.state(new Random(seed), 4, LENGTHS.length, HIDDEN), which);
    return layer instanceof Lstm ? State.of(hidden, cells) : State.of(hidden);
  }

  private static Results.State values(State state) {
    return new Results.State(state.hidden(), state.hasCells() ? state.cells() : null);
  }

  private static float[][][] pick(float[][][] sequences, List<Integer> which) {
    return which.stream().map(i -> sequences[i]).toArray(float[][][]::new);
  }

  private static float[][][] pickEach(float[][][] state, List<Integer> which) {
    return Arrays.stream(state)
        .map(entry -> which.stream().map(i -> entry[i]).toArray(float[][]::new))
        .toArray(float[][][]::new);
  }

  private static void compare(Results a, int b, Results other, int c) {
    assertArrayEquals(a.outputs[b], other.outputs[c], "outputs of sequence " + b);
    assertArrayEquals(a.dInputs[b], other.dInputs[c], "input gradients of sequence " + b);
    compare("final state", a.states, b, other.states, c);
    compare("initial state gradient", a.dInitial, b, other.dInitial, c);
  }

  private static void compare(String name, Results.State a, int b, Results.State other, int c) {
    for (int l = 0; l < a.hidden.length; l++) {
      String message = name + " " + l + " of sequence " + b;
      assertArrayEquals(a.hidden[l][b], other.hidden[l][c], message);
      if (a.cells != null) {
        assertArrayEquals(a.cells[l][b], other.cells[l][c], message);
      }
    }
  }
}
