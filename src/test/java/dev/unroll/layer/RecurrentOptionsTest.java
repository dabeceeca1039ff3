package dev.unroll.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.Expect;
import dev.unroll.sequence.PackedSequence;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Options whose effect follows exactly from the plain layer: sums, dropout, last outputs, single steps. */
class RecurrentOptionsTest {
  private static final int INPUTS = 5;
  private static final int HIDDEN = 19;
  private static final int[] LENGTHS = {4, 0, 9, 1, 9};

  private final Random random = new Random(51);
  private final float[][][] input = RandomArrays.sequences(random, LENGTHS, INPUTS);

  static Stream<RecurrentBuilder<?, ? extends Recurrent>> builders() {
    return builders(HIDDEN);
  }

  static Stream<RecurrentBuilder<?, ? extends Recurrent>> builders(int hidden) {
    return Stream.of(
        Rnn.builder(INPUTS, hidden),
        Lstm.builder(INPUTS, hidden),
        Lstm.builder(INPUTS, hidden).projectionSize(7).peepholes(true),
        Gru.builder(INPUTS, hidden),
        Gru.builder(INPUTS, hidden).resetBefore(true));
  }

  @ParameterizedTest
  @MethodSource("builders")
  void summedDirectionsAreTheSumOfTheTwo(RecurrentBuilder<?, ? extends Recurrent> builder) {
    builder.bidirectional(true);
    try (Recurrent apart = builder.build()) {
      builder.sumDirections(true);
      try (Recurrent summed = builder.build(); // same seed, same weights
          PackedSequence x = PackedSequence.of(input, INPUTS);
          RecurrentOutput two = apart.forward(x);
          RecurrentOutput one = summed.forward(x);
          PackedSequence lastTwo = two.last();
          PackedSequence lastOne = one.last()) {
        assertEquals(apart.outputSize(), 2 * summed.outputSize());
        checkSum(two.outputs().toArrays(), one.outputs().toArrays());
        checkSum(lastTwo.toArrays(), lastOne.toArrays());

        float[][][] dSum = RandomArrays.sequences(random, LENGTHS, summed.outputSize());
        float[][][] dBoth =
            Arrays.stream(dSum)
                .map(s -> Arrays.stream(s).map(RecurrentOptionsTest::twice).toArray(float[][]::new))
                .toArray(float[][][]::new);
        try (PackedSequence dOne = PackedSequence.of(dSum, summed.outputSize());
            PackedSequence dTwo = PackedSequence.of(dBoth, apart.outputSize());
            RecurrentGradients ofOne = summed.backward(one, dOne, null);
            RecurrentGradients ofTwo = apart.backward(two, dTwo, null)) {
          assertTrue(Arrays.deepEquals(ofTwo.input().toArrays(), ofOne.input().toArrays()));
        }
      }
    }
  }

  private static float[] twice(float[] row) {
    float[] both = Arrays.copyOf(row, 2 * row.length);
    System.arraycopy(row, 0, both, row.length, row.length);
    return both;
  }

  private static void checkSum(float[][][] both, float[][][] sum) {
    for (int b = 0; b < sum.length; b++) {
      for (int t = 0; t < sum[b].length; t++) {
        int size = sum[b][t].length;
        for (int j = 0; j < size; j++) {
          assertEquals(both[b][t][j] + both[b][t][size + j], sum[b][t][j]);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("builders")
  void lastOutputIsThatOfTheLastRealStepAndInReverseOfTheFirst(RecurrentBuilder<?, ? extends Recurrent> builder) {
    builder.bidirectional(true);
    builder.layers(2);
    try (Recurrent layer = builder.build();
        PackedSequence x = PackedSequence.of(input, INPUTS);
        RecurrentOutput output = layer.forward(x);
        PackedSequence last = output.last()) {
      float[][][] outputs = output.outputs().toArrays();
      int size = layer.outputSize() / 2;
      for (int b = 0; b < LENGTHS.length; b++) {
        float[] actual = last.step(b, 0);
        float[] forward = LENGTHS[b] == 0 ? new float[size] : Arrays.copyOf(outputs[b][LENGTHS[b] - 1], size);
        float[] reverse = LENGTHS[b] == 0 ? new float[size] : Arrays.copyOfRange(outputs[b][0], size, 2 * size);
        assertArrayEquals(forward, Arrays.copyOf(actual, size));
        assertArrayEquals(reverse, Arrays.copyOfRange(actual, size, 2 * size));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("builders")
  void gradientOfTheLastOutputIsThatOfTheStepItComesFrom(RecurrentBuilder<?, ? extends Recurrent> builder) {
    try (Recurrent layer = builder.build();
        PackedSequence x = PackedSequence.of(input, INPUTS);
        RecurrentOutput first = layer.forward(x);
        RecurrentOutput second = layer.forward(x)) {
      int size = layer.outputSize();
      float[][][] dLast = RandomArrays.sequences(random, new int[] {1, 1, 1, 1, 1}, size);
      float[][][] dOutputs = new float[LENGTHS.length][][];
      for (int b = 0; b < LENGTHS.length; b++) {
        dOutputs[b] = new float[LENGTHS[b]][size];
        if (LENGTHS[b] > 0) {
          dOutputs[b][LENGTHS[b] - 1] = dLast[b][0];
        }
      }
      try (PackedSequence one = PackedSequence.of(dLast, size);
          PackedSequence all = PackedSequence.of(dOutputs, size);
          RecurrentGradients fromLast = layer.backwardFromLast(first, one);
          RecurrentGradients fromAll = layer.backward(second, all, null)) {
        assertTrue(Arrays.deepEquals(fromAll.input().toArrays(), fromLast.input().toArrays()));
      }
    }
  }

  /** Of both directions, side by side or summed: that of the last output is one of the top layer's final states. */
  @ParameterizedTest
  @MethodSource("builders")
  void gradientsOfTheLastOutputAndOfTheFinalStateGoBackTogether(RecurrentBuilder<?, ? extends Recurrent> builder) {
    builder.layers(2);
    builder.bidirectional(true);
    for (boolean summed : new boolean[] {false, true}) {
      builder.sumDirections(summed);
      try (Recurrent layer = builder.build();
          PackedSequence x = PackedSequence.of(input, INPUTS);
          RecurrentOutput first = layer.forward(x);
          RecurrentOutput second = layer.forward(x)) {
        float[][][] dLast = RandomArrays.sequences(random, new int[] {1, 1, 1, 1, 1}, layer.outputSize());
        State shape = first.finalState();
        float[][][] hidden = RandomArrays.state(random, 4, LENGTHS.length, shape.hiddenSize());
        float[][][] cells = shape.hasCells() ? RandomArrays.state(random, 4, LENGTHS.length, layer.hiddenSize()) : null;
        try (State beside = cells == null ? State.of(hidden) : State.of(hidden, cells);
            PackedSequence one = PackedSequence.of(dLast, layer.outputSize());
            RecurrentGradients together = layer.backwardFromLast(first, null, one, beside)) {
          for (int d = 0; d < 2; d++) {
            for (int b = 0; b < LENGTHS.length; b++) {
              for (int j = 0; j < shape.hiddenSize(); j++) {
                hidden[2 + d][b][j] += dLast[b][0][(summed ? 0 : d * shape.hiddenSize()) + j];
              }
            }
          }
          try (State sum = cells == null ? State.of(hidden) : State.of(hidden, cells);
              RecurrentGradients expected = layer.backward(second, null, sum)) {
            Expect.sameBits(expected.input().toArrays(), together.input().toArrays());
            Expect.sameBits(expected.initialState().hidden(), together.initialState().hidden());
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("builders")
  void gradientsOfAllOutputsAndOfTheLastGoBackTogether(RecurrentBuilder<?, ? extends Recurrent> builder) {
    try (Recurrent layer = builder.build();
        PackedSequence x = PackedSequence.of(input, INPUTS);
        RecurrentOutput first = layer.forward(x);
        RecurrentOutput second = layer.forward(x)) {
      int size = layer.outputSize();
      float[][][] dLast = RandomArrays.sequences(random, new int[] {1, 1, 1, 1, 1}, size);
      float[][][] dOutputs = RandomArrays.sequences(random, LENGTHS, size);
      float[][][] both = new float[LENGTHS.length][][];
      for (int b = 0; b < LENGTHS.length; b++) {
        both[b] = Arrays.stream(dOutputs[b]).map(float[]::clone).toArray(float[][]::new);
        if (LENGTHS[b] > 0) {
          dOutputs[b][LENGTHS[b] - 1] = new float[size]; // so that nothing is added there
          both[b][LENGTHS[b] - 1] = dLast[b][0];
        }
      }
      try (PackedSequence one = PackedSequence.of(dLast, size);
          PackedSequence some = PackedSequence.of(dOutputs, size);
          PackedSequence all = PackedSequence.of(both, size);
          RecurrentGradients together = layer.backwardFromLast(first, some, one);
          RecurrentGradients expected = layer.backward(second, all, null)) {
        assertTrue(Arrays.deepEquals(expected.input().toArrays(), together.input().toArrays()));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("builders")
  void chunksAndSingleStepsGiveTheBitsOfTheWhole(RecurrentBuilder<?, ? extends Recurrent> builder) {
    float[][][] whole = RandomArrays.sequences(random, new int[] {8, 8, 8}, INPUTS);
    try (Recurrent layer = builder.build();
        PackedSequence x = PackedSequence.of(whole, INPUTS);
        RecurrentOutput expected = layer.forward(x)) {
      float[][][] outputs = expected.outputs().toArrays();
      for (int chunk : List.of(1, 3)) {
        State state = null;
        for (int start = 0; start < 8; start += chunk) {
          int from = start;
          int to = Math.min(start + chunk, 8);
          float[][][] part =
              Arrays.stream(whole).map(s -> Arrays.copyOfRange(s, from, to)).toArray(float[][][]::new);
          try (PackedSequence y = PackedSequence.of(part, INPUTS);
              RecurrentOutput output = layer.forward(y, state)) {
            state = output.takeFinalState();
            for (int b = 0; b < 3; b++) {
              assertArrayEquals(Arrays.copyOfRange(outputs[b], from, to), output.outputs().toArrays()[b]);
            }
          }
        }
        assertTrue(Arrays.deepEquals(expected.finalState().hidden(), state.hidden()));
      }
      checkCell(cellOf(layer), whole, outputs);
    }
  }

  private static RecurrentCell<?> cellOf(Recurrent layer) {
    if (layer instanceof Rnn rnn) {
      return new RnnCell(rnn);
    }
    return layer instanceof Lstm lstm ? new LstmCell(lstm) : new GruCell((Gru) layer);
  }

  private static void checkCell(RecurrentCell<?> cell, float[][][] whole, float[][][] outputs) {
    State state = null;
    for (int t = 0; t < 8; t++) {
      int step = t;
      state = cell.step(Arrays.stream(whole).map(s -> s[step]).toArray(float[][]::new), state);
      for (int b = 0; b < 3; b++) {
        assertArrayEquals(outputs[b][t], state.hidden()[0][b]);
      }
    }
  }

  /** The last output of the reverse direction is that of the first step. */
  @Test
  void gradientsOfLastOutputsReachTheEndsOfBothDirections() {
    int size = 3;
    for (boolean summed : new boolean[] {false, true}) {
      try (Gru layer =
              Gru.builder(INPUTS, size).layers(2).bidirectional(true).sumDirections(summed).seed(6).build();
          PackedSequence x = PackedSequence.of(input, INPUTS);
          RecurrentOutput first = layer.forward(x);
          RecurrentOutput second = layer.forward(x)) {
        int columns = layer.outputSize();
        float[][][] dLast = RandomArrays.sequences(random, new int[] {1, 1, 1, 1, 1}, columns);
        float[][][] hidden = new float[4][LENGTHS.length][size]; // of the upper layer both directions' ends
        for (int b = 0; b < LENGTHS.length; b++) {
          hidden[2][b] = Arrays.copyOf(dLast[b][0], size);
          hidden[3][b] = Arrays.copyOfRange(dLast[b][0], columns - size, columns);
        }
        try (PackedSequence last = PackedSequence.of(dLast, columns);
            State ends = State.of(hidden);
            RecurrentGradients fromLast = layer.backwardFromLast(first, last);
            RecurrentGradients fromState = layer.backward(second, null, ends)) {
          assertTrue(Arrays.deepEquals(fromState.input().toArrays(), fromLast.input().toArrays()));
        }
      }
    }
  }

  @Test
  void theLastOutputOfSummedDirectionsIsTheOutputOfTheStepEvenIfItIsDenormal() {
    try (Rnn layer = Rnn.builder(1, 1).bidirectional(true).sumDirections(true).bias(false).build();
        PackedSequence x = PackedSequence.of(new float[][][] {{{1}}}, 1)) {
      layer.parameters().forEach(p -> p.set(new float[1]));
      layer.parameter("weight_ih_l0").set(new float[] {2e-38f});
      layer.parameter("weight_ih_l0_reverse").set(new float[] {-1.6e-38f});
      try (RecurrentOutput output = layer.forward(x);
          PackedSequence last = output.last()) {
        assertEquals(0, output.outputs().step(0, 0)[0]);
        assertEquals(0, last.step(0, 0)[0]);
      }
    }
  }

  @Test
  void dropoutDropsTheSameElementsForwardAndBackwardInTrainingOnly() {
    double p = 0.3;
    float scale = (float) (1 / (1 - p));
    float[][][] ones = TransparentRnn.ones(new int[] {400, 100, 300}, INPUTS);
    try (Rnn layer = TransparentRnn.of(INPUTS, p);
        PackedSequence x = PackedSequence.of(ones, INPUTS);
        PackedSequence dY = PackedSequence.of(ones, INPUTS);
        RecurrentOutput serving = layer.forward(x);
        RecurrentOutput training = layer.forwardTraining(x, null, 7);
        RecurrentOutput again = layer.forwardTraining(x, null, 7);
        RecurrentOutput other = layer.forwardTraining(x, null, 8);
        RecurrentGradients gradients = layer.backward(training, dY, null)) {
      assertTrue(Arrays.deepEquals(ones, serving.outputs().toArrays()));
      float[][][] y = training.outputs().toArrays();
      int dropped = 0;
      for (float[][] sequence : y) {
        for (float[] step : sequence) {
          for (float value : step) {
            assertTrue(value == 0 || value == scale, "value " + value);
            dropped += value == 0 ? 1 : 0;
          }
        }
      }
      assertEquals(4000 * p, dropped, 5 * Math.sqrt(4000 * p * (1 - p))); // five standard deviations
      assertTrue(Arrays.deepEquals(y, again.outputs().toArrays()));
      assertTrue(Arrays.deepEquals(y, gradients.input().toArrays()));
      assertFalse(Arrays.deepEquals(y, other.outputs().toArrays()));
      assertFalse(Arrays.equals(Arrays.copyOf(y[0], 100), y[1]), "sequences have masks of their own");
    }
  }

  @Test
  void everyLayerDropsElementsOfItsOwn() {
    double p = 0.5;
    int[] lengths = {400, 100, 300};
    try (Rnn layer = TransparentRnn.of(3, INPUTS, p, 0);
        PackedSequence x = PackedSequence.of(TransparentRnn.ones(lengths, INPUTS), INPUTS);
        RecurrentOutput output = layer.forwardTraining(x, null, 7)) {
      int kept = 0;
      for (float[] sequence : output.outputs().toFlatArrays()) {
        for (float value : sequence) {
          assertTrue(value == 0 || value == 4, "value " + value);
          kept += value == 0 ? 0 : 1;
        }
      }
      int all = 800 * INPUTS;
      assertEquals(all / 4.0, kept, 5 * Math.sqrt(all * 0.25 * 0.75)); // five standard deviations
    }
  }

  @Test
  void dropoutOfASequenceDoesNotDependOnTheLengthsOfOthers() {
    float[][][] one = TransparentRnn.mask(0.5, new int[] {6, 2}, INPUTS, 1, 3);
    float[][][] two = TransparentRnn.mask(0.5, new int[] {6, 9}, INPUTS, 1, 3);
    assertTrue(Arrays.deepEquals(one[0], two[0]));
  }

  /** An encoder and its decoder may both take the number of the step as their key. */
  @Test
  void layersOfOtherSeedsDropOtherElements() {
    int[] lengths = {100};
    float[][][] one = TransparentRnn.mask(0.5, lengths, INPUTS, 1, 3);
    float[][][] two = TransparentRnn.mask(0.5, lengths, INPUTS, 2, 3);
    int alike = 0;
    for (int t = 0; t < 100; t++) {
      for (int j = 0; j < INPUTS; j++) {
        alike += one[0][t][j] == two[0][t][j] ? 1 : 0;
      }
    }
    int all = 100 * INPUTS;
    assertEquals(all / 2.0, alike, 5 * Math.sqrt(all * 0.25)); // five standard deviations
    assertFalse(Arrays.deepEquals(two, TransparentRnn.mask(0.5, lengths, INPUTS, 3, 2)), "seed and key are no sum");
  }

  @Test
  void forgetBiasReachesEveryLayerAndDirection() {
    try (Lstm layer = Lstm.builder(INPUTS, 3).layers(2).bidirectional(true).forgetBias(1.5).build()) {
      for (Parameter parameter : layer.parameters()) {
        float[] values = parameter.values();
        float expected = parameter.name().startsWith("bias_ih") ? 1.5f : 0;
        if (parameter.name().startsWith("bias")) {
          assertArrayEquals(new float[] {expected, expected, expected}, Arrays.copyOfRange(values, 3, 6));
          assertTrue(values[0] != 0);
        }
      }
    }
  }
}
