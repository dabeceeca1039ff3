package dev.unroll.train;

import static dev.unroll.Expect.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AccuracyTest {
  private static final float[][][] SCORES = {{{1, 3, 2}, {3, 1, 2}}, {}, {{1, 2, 3}}};

  @Test
  void stepsAndSequencesAreCountedApart() {
    try (PackedSequence scores = PackedSequence.of(SCORES, 3);
        PackedTokens targets = PackedTokens.of(new int[][] {{1, 2}, {}, {2}}, 3)) {
      Accuracy steps = Accuracy.overSteps(scores, targets);
      assertEquals(new Accuracy(2, 3), steps);
      assertEquals(2 / 3.0, steps.value());
      assertEquals(new Accuracy(1, 2), Accuracy.overSequences(scores, targets));
      assertEquals(new Accuracy(6, 10), steps.plus(new Accuracy(4, 7)));
      assertEquals("2 of 3 right", steps.toString());
    }
  }

  @Test
  void firstOfEqualScoresCountsAndNanIsWrong() {
    float nan = Float.NaN;
    float[][][] scores = {{{2, 2, 1}, {2, 2, 1}, {nan, 1, 0}, {1, nan, 0}, {0, 0, 0}}};
    try (PackedSequence batch = PackedSequence.of(scores, 3);
        PackedTokens targets = PackedTokens.of(new int[][] {{0, 1, 1, 0, 0}}, 3)) {
      assertEquals(new Accuracy(2, 5), Accuracy.overSteps(batch, targets));
    }
  }

  @Test
  void nothingCountedIsNotANumber() {
    try (PackedSequence scores = PackedSequence.of(new float[2][0][], 3);
        PackedTokens targets = PackedTokens.of(new int[2][0], 3)) {
      assertEquals(new Accuracy(0, 0), Accuracy.overSequences(scores, targets));
      assertEquals(Double.NaN, Accuracy.overSteps(scores, targets).value());
    }
  }

  /** More rows, and longer ones, than are looked at at once. */
  @Test
  void largeBatchesAreCountedToTheEnd() {
    for (int columns : new int[] {3, 10_000}) {
      Random random = new Random(columns);
      int steps = columns == 3 ? 5000 : 20;
      float[][] scores = new float[steps][columns];
      int[] targets = new int[steps];
      int right = 0;
      for (int t = 0; t < steps; t++) {
        int largest = random.nextInt(columns);
        scores[t][largest] = 1;
        targets[t] = random.nextBoolean() ? largest : random.nextInt(columns);
        right += targets[t] == largest ? 1 : 0;
      }
      try (PackedSequence batch = PackedSequence.ofOne(scores, columns);
          PackedTokens labels = PackedTokens.of(new int[][] {targets}, columns)) {
        assertEquals(new Accuracy(right, steps), Accuracy.overSteps(batch, labels));
      }
    }
  }

  @Test
  void wrongArgumentsAreRefused() {
    Class<IllegalArgumentException> argument = IllegalArgumentException.class;
    refused(argument, () -> new Accuracy(-1, 2), "right is -1", "0 to counted = 2");
    refused(argument, () -> new Accuracy(3, 2), "right is 3");
    refused(argument, () -> new Accuracy(0, -1), "counted is -1");
    refused(NullPointerException.class, () -> new Accuracy(0, 0).plus(null), "other is null");
    try (PackedSequence scores = PackedSequence.of(SCORES, 3);
        PackedTokens vocabulary = PackedTokens.of(new int[][] {{1, 2}, {}, {2}}, 4);
        PackedTokens layout = PackedTokens.of(new int[][] {{1}, {2}, {2}}, 3)) {
      refused(NullPointerException.class, () -> Accuracy.overSteps(null, layout), "scores is null");
      refused(NullPointerException.class, () -> Accuracy.overSequences(scores, null), "targets is null");
      refused(argument, () -> Accuracy.overSteps(scores, vocabulary), "features of scores is 3", "4");
      refused(argument, () -> Accuracy.overSequences(scores, layout), "layout of targets", "[2, 0, 1]");
    }
  }
}
