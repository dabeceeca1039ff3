package dev.unroll.sequence;

import static dev.unroll.Expect.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.Expect;
import dev.unroll.layer.Lstm;
import dev.unroll.layer.RecurrentOutput;
import dev.unroll.layer.State;
import dev.unroll.train.CrossEntropy;
import dev.unroll.train.Divisor;
import dev.unroll.train.LossGradient;
import dev.unroll.train.SquaredError;
import java.nio.IntBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** Some steps of a batch as a batch, and each sequence backwards. */
class StepSelectionTest {
  @Test
  void ignoredTargetsCountInNeitherLossNorDivisor() {
    float[][][] scores = {{{1, 2}, {9, -9}, {0, 1}}, {{5, 5}}, {}};
    int[][] labels = {{0, -100, 1}, {-100}, {}};
    StepSelection labelled = StepSelection.without(labels, -100);
    assertEquals(SequenceLayout.of(2, 0, 0), labelled.selected());
    double first = Math.log(Math.exp(1) + Math.exp(2)) - 1;
    double third = Math.log(1 + Math.exp(1)) - 1;
    float p = (float) (1 / (1 + Math.exp(-1)));
    try (PackedSequence all = PackedSequence.of(scores, 2);
        PackedSequence some = labelled.select(all);
        PackedTokens right = PackedTokens.of(labelled.select(labels), 2);
        LossGradient loss = new CrossEntropy(Divisor.MEAN_OVER_STEPS).gradient(some, right);
        PackedSequence gradient = labelled.spread(loss.gradient())) {
      assertEquals((first + third) / 2, loss.loss(), 1e-6); // a few roundings to float
      float[][][] d = gradient.toArrays();
      assertArrayEquals(new float[] {-p / 2, p / 2}, d[0][0], 1e-6f);
      assertArrayEquals(new float[] {0, 0}, d[0][1]);
      assertArrayEquals(new float[] {(1 - p) / 2, (p - 1) / 2}, d[0][2], 1e-6f);
      assertArrayEquals(new float[] {0, 0}, d[1][0]);
    }
  }

  @Test
  void chosenSequencesAreABatchInTheirOrder() {
    float[][][] sequences = {{{1}, {2}}, {}, {{3}, {4}, {5}}, {{6}}};
    int[][] labels = {{1, 2}, {}, {3, 4, 5}, {6}};
    SequenceLayout layout = SequenceLayout.of(2, 0, 3, 1);
    StepSelection chosen = StepSelection.ofSequences(layout, 3, 2, 1, 2, 0, 2);
    int[][] expectedLabels = {{6}, {3, 4, 5}, {}, {3, 4, 5}, {1, 2}, {3, 4, 5}};
    try (PackedSequence all = PackedSequence.of(sequences, 1);
        PackedSequence some = chosen.select(all);
        PackedSequence sums = chosen.spread(some);
        PackedTokens tokens = PackedTokens.of(labels, 7);
        PackedTokens someTokens = chosen.select(tokens)) {
      Expect.sameBits(
          new float[][][] {{{6}}, {{3}, {4}, {5}}, {}, {{3}, {4}, {5}}, {{1}, {2}}, {{3}, {4}, {5}}}, some.toArrays());
      Expect.sameBits(new float[][][] {{{1}, {2}}, {}, {{9}, {12}, {15}}, {{6}}}, sums.toArrays());
      assertArrayEquals(expectedLabels, someTokens.toArrays());
      assertArrayEquals(expectedLabels, chosen.select(labels));
      assertEquals(0, StepSelection.ofSequences(layout).selected().sequences());
    }
    refused(NullPointerException.class, () -> StepSelection.ofSequences(null, 0), "layout is null");
    refused(NullPointerException.class, () -> StepSelection.ofSequences(layout, (int[]) null), "sequences is null");
    refused(
        IllegalArgumentException.class, () -> StepSelection.ofSequences(layout, 0, 4), "sequences[1] is 4", "below 4");
  }

  @Property(tries = 100)
  void paddedLabelsAndMasksAreThoseOfRealSteps(
      @ForAll("lengths") int[] lengths, @ForAll PaddedOrder order, @ForAll @IntRange(max = 3) int more) {
    int[][] labels = Lengths.tokens(lengths, 4);
    try (PackedTokens packed = PackedTokens.of(labels, 4)) {
      int steps = packed.layout().steps() + more;
      int[][] padded = packed.toPadded(order, steps, -100);
      int[] flat = new int[lengths.length * steps];
      packed.toPadded(flat, order, steps, -100);
      assertArrayEquals(labels, order.unpad(padded, lengths));
      assertArrayEquals(labels, order.unpad(flat, lengths));
      assertArrayEquals(labels, order.unpad(IntBuffer.wrap(flat), lengths));
      float[][] numbers = new float[padded.length][];
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = new float[padded[i].length];
        for (int j = 0; j < numbers[i].length; j++) {
          numbers[i][j] = padded[i][j];
        }
      }
      try (PackedSequence weights = PackedSequence.ofFlat(order.unpad(numbers, lengths), 1);
          PackedSequence expected = packed.lookUp(new float[] {0, 1, 2, 3})) {
        Expect.sameBits(expected.toArrays(), weights.toArrays());
      }
      boolean[][] mask = new boolean[padded.length][];
      for (int i = 0; i < mask.length; i++) {
        mask[i] = new boolean[padded[i].length];
        for (int j = 0; j < mask[i].length; j++) {
          mask[i][j] = padded[i][j] > 0;
        }
      }
      StepSelection selected = StepSelection.of(order.unpad(mask, lengths));
      assertEquals(StepSelection.without(labels, 0).selected(), selected.selected());
      assertArrayEquals(StepSelection.without(labels, 0).select(labels), selected.select(labels));
    }
  }

  @Test
  void wrongLengthsOfPaddedLabelsAreRefused() {
    PaddedOrder order = PaddedOrder.BATCH_FIRST;
    Class<IllegalArgumentException> type = IllegalArgumentException.class;
    Class<NullPointerException> isNull = NullPointerException.class;
    int[] lengths = {1, 3};
    refused(type, () -> order.unpad(new int[2][2], lengths), "lengths[1] is 3: expected 0 to 2");
    refused(type, () -> order.unpad(new int[4], lengths), "lengths[1] is 3: expected 0 to 2");
    refused(type, () -> order.unpad(new int[5], lengths), "size of padded is 5");
    refused(type, () -> order.unpad(IntBuffer.allocate(4), lengths), "lengths[1] is 3: expected 0 to 2");
    refused(type, () -> order.unpad(new boolean[2][2], lengths), "lengths[1] is 3: expected 0 to 2");
    refused(isNull, () -> order.unpad((int[][]) null, lengths), "padded is null");
    refused(isNull, () -> order.unpad((int[]) null, lengths), "padded is null");
    refused(isNull, () -> order.unpad((IntBuffer) null, lengths), "padded is null");
    refused(isNull, () -> order.unpad((boolean[][]) null, lengths), "padded is null");
    refused(isNull, () -> order.unpad(new boolean[2][], lengths), "padded[0] is null");
    refused(type, () -> order.unpad(new float[2][2], lengths), "lengths[1] is 3: expected 0 to 2");
    refused(isNull, () -> order.unpad((float[][]) null, lengths), "padded is null");
    refused(isNull, () -> order.unpad(new float[2][2], null), "lengths is null");
    refused(isNull, () -> order.unpad(new int[2][2], null), "lengths is null");
    refused(isNull, () -> order.unpad(new boolean[2][2], null), "lengths is null");
  }

  @Test
  void gapsInMeasurementsAreLeftOutOfSquaredError() {
    StepSelection measured = StepSelection.of(new boolean[][] {{true, false}, {true}});
    try (PackedSequence y = PackedSequence.of(new float[][][] {{{1}, {2}}, {{3}}}, 1);
        PackedSequence target = PackedSequence.of(new float[][][] {{{2}, {Float.NaN}}, {{5}}}, 1);
        PackedSequence some = measured.select(y);
        PackedSequence right = measured.select(target)) {
      assertEquals((1 + 4) / 2.0, new SquaredError(Divisor.MEAN_OVER_STEPS).loss(some, right));
    }
  }

  @Property(tries = 200)
  void selectedStepsAreThoseOfEachSequenceInOrder(
      @ForAll("lengths") int[] lengths, @ForAll @IntRange(min = 1, max = 20) int features, @ForAll long seed) {
    Random random = new Random(seed);
    boolean[][] chosen = new boolean[lengths.length][];
    for (int b = 0; b < lengths.length; b++) {
      chosen[b] = new boolean[lengths[b]];
      for (int t = 0; t < lengths[b]; t++) {
        chosen[b][t] = random.nextBoolean();
      }
    }
    StepSelection selection = StepSelection.of(chosen);
    float[][][] values = finite(Lengths.values(lengths, features));
    int[][] tokens = Lengths.tokens(lengths, 9);
    float[][][] expected = new float[lengths.length][][];
    float[][][] spread = new float[lengths.length][][];
    int[][] expectedTokens = new int[lengths.length][];
    for (int b = 0; b < lengths.length; b++) {
      int sequence = b;
      int[] steps = IntStream.range(0, lengths[b]).filter(t -> chosen[sequence][t]).toArray();
      expected[b] = IntStream.of(steps).mapToObj(t -> values[sequence][t]).toArray(float[][]::new);
      expectedTokens[b] = IntStream.of(steps).map(t -> tokens[sequence][t]).toArray();
      spread[b] = new float[lengths[b]][features];
      for (int t : steps) {
        spread[b][t] = values[b][t];
      }
    }
    try (PackedSequence batch = PackedSequence.of(values, features);
        PackedSequence some = selection.select(batch);
        PackedSequence back = selection.spread(some)) {
      Expect.sameBits(expected, some.toArrays());
      Expect.sameBits(spread, back.toArrays());
    }
    assertArrayEquals(expectedTokens, selection.select(tokens));
    try (PackedTokens packed = PackedTokens.of(tokens, 9);
        PackedTokens some = selection.select(packed)) {
      assertArrayEquals(expectedTokens, some.toArrays());
    }
  }

  /** A layer that goes through the windows, with its state handed on, gives the bits of whole sequences. */
  @Property(tries = 100)
  void windowsOfTimeAreTheBatchInPieces(
      @ForAll("lengths") int[] lengths, @ForAll @IntRange(min = 1, max = 5) int width, @ForAll long seed) {
    SequenceLayout layout = SequenceLayout.of(lengths);
    float[][][] values = finite(Lengths.values(lengths, 2));
    try (Lstm lstm = Lstm.builder(2, 3).seed(seed).build();
        PackedSequence batch = PackedSequence.of(values, 2);
        RecurrentOutput whole = lstm.forward(batch)) {
      float[][][] expected = whole.outputs().toArrays();
      State state = null;
      for (int from = 0; from < layout.steps() + width; from += width) {
        StepSelection window = StepSelection.window(layout, from, from + width);
        try (State before = state;
            PackedSequence some = window.select(batch);
            RecurrentOutput output = lstm.forward(some, before)) {
          float[][][] outputs = output.outputs().toArrays();
          for (int b = 0; b < lengths.length; b++) {
            int begin = Math.min(from, lengths[b]);
            Expect.sameBits(
                Arrays.copyOfRange(expected[b], begin, Math.min(from + width, lengths[b])), outputs[b]);
          }
          state = output.takeFinalState();
        }
      }
      try (State last = state) {
        Expect.sameBits(whole.finalState().hidden(), last == null ? new float[1][0][] : last.hidden());
      }
    }
  }

  @Test
  void windowsThatAreNoneAreRefused() {
    SequenceLayout layout = SequenceLayout.of(3, 1);
    assertEquals(SequenceLayout.of(0, 0), StepSelection.window(layout, 2, 2).selected());
    assertEquals(SequenceLayout.of(1, 0), StepSelection.window(layout, 2, Integer.MAX_VALUE).selected());
    Class<IllegalArgumentException> type = IllegalArgumentException.class;
    refused(type, () -> StepSelection.window(layout, -1, 2), "from is -1");
    refused(type, () -> StepSelection.window(layout, 3, 2), "to is 2: expected 3 or more");
    refused(NullPointerException.class, () -> StepSelection.window(null, 0, 1), "layout is null");
  }

  /** Neither denormals nor the sign of a zero survive an addition in the kernels, so the test has neither. */
  private static float[][][] finite(float[][][] values) {
    for (float[][] sequence : values) {
      for (float[] step : sequence) {
        for (int j = 0; j < step.length; j++) {
          boolean normal = Float.isFinite(step[j]) && Math.abs(step[j]) >= Float.MIN_NORMAL;
          step[j] = normal ? step[j] : 1;
        }
      }
    }
    return values;
  }

  @Property(tries = 200)
  void everySequenceIsReversedWithinItsLength(
      @ForAll("lengths") int[] lengths, @ForAll @IntRange(min = 1, max = 20) int features) {
    float[][][] values = Lengths.values(lengths, features);
    int[][] tokens = Lengths.tokens(lengths, 9);
    float[][][] backwards = new float[lengths.length][][];
    int[][] backwardTokens = new int[lengths.length][];
    for (int b = 0; b < lengths.length; b++) {
      int last = lengths[b] - 1;
      int sequence = b;
      backwards[b] = IntStream.rangeClosed(0, last).mapToObj(t -> values[sequence][last - t]).toArray(float[][]::new);
      backwardTokens[b] = IntStream.rangeClosed(0, last).map(t -> tokens[sequence][last - t]).toArray();
    }
    try (PackedSequence batch = PackedSequence.of(values, features);
        PackedSequence reversed = batch.reversed();
        PackedTokens packed = PackedTokens.of(tokens, 9);
        PackedTokens reversedTokens = packed.reversed()) {
      Expect.sameBits(backwards, reversed.toArrays());
      assertArrayEquals(backwardTokens, reversedTokens.toArrays());
    }
  }

  @Test
  void otherLayoutsAreRefused() {
    StepSelection selection = StepSelection.of(new boolean[][] {{true, false}});
    Class<IllegalArgumentException> type = IllegalArgumentException.class;
    Class<NullPointerException> isNull = NullPointerException.class;
    PackedSequence other = PackedSequence.of(new float[][][] {{{1}, {1}, {1}}}, 1);
    refused(type, () -> selection.select(other), "layout of batch is lengths [3]", "lengths [2]");
    refused(type, () -> selection.spread(other), "layout of some is lengths [3]", "lengths [1]");
    refused(type, () -> selection.select(new int[][] {{1}}), "layout of tokens is lengths [1]", "lengths [2]");
    refused(isNull, () -> selection.select((PackedSequence) null), "batch is null");
    refused(isNull, () -> selection.select((int[][]) null), "tokens is null");
    refused(isNull, () -> selection.select((PackedTokens) null), "batch is null");
    try (PackedTokens tokens = PackedTokens.of(new int[][] {{1}}, 2)) {
      refused(type, () -> selection.select(tokens), "layout of batch is lengths [1]", "lengths [2]");
    }
    refused(isNull, () -> selection.spread(null), "some is null");
    refused(isNull, () -> StepSelection.of(null), "selected is null");
    refused(isNull, () -> StepSelection.of(new boolean[][] {null}), "selected[0] is null");
    refused(isNull, () -> StepSelection.without(null, 0), "targets is null");
    refused(isNull, () -> StepSelection.without(new int[][] {null}, 0), "targets[0] is null");
    other.close();
    refused(IllegalStateException.class, other::reversed, "PackedSequence is closed");
    PackedSequence closed = PackedSequence.of(new float[][][] {{{1}, {1}}}, 1);
    closed.close();
    Expect.refusedWithoutLeak(IllegalStateException.class, () -> selection.select(closed));
  }

  @Provide
  Arbitrary<int[]> lengths() {
    return Lengths.arbitrary();
  }
}
