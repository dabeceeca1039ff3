package dev.unroll.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CrossEntropyTest {
  private static final int[] LENGTHS = {3, 0, 5};

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 15, 16, 17, 33, 70})
  void lossAndGradientEqualTheFormulaForEveryDivisor(int columns) {
    Random random = new Random(columns);
    float[][][] scores = new float[LENGTHS.length][][];
    int[][] targets = new int[LENGTHS.length][];
    for (int b = 0; b < LENGTHS.length; b++) {
      targets[b] = random.ints(LENGTHS[b], 0, columns).toArray();
      scores[b] = new float[LENGTHS[b]][columns];
      for (float[] row : scores[b]) {
        for (int i = 0; i < columns; i++) {
          row[i] = random.nextFloat() * 8 - 4;
        }
      }
    }
    try (PackedSequence x = PackedSequence.of(scores, columns);
        PackedTokens y = PackedTokens.of(targets, columns)) {
      check(Divisor.MEAN_OVER_STEPS, 8, x, y, scores, targets);
      check(Divisor.SUM_OVER_STEPS_MEAN_OVER_SEQUENCES, 3, x, y, scores, targets);
      check(Divisor.SUM_OVER_STEPS, 1, x, y, scores, targets);
    }
  }

  private static void check(
      Divisor divisor, double count, PackedSequence x, PackedTokens y, float[][][] scores, int[][] targets) {
    CrossEntropy crossEntropy = new CrossEntropy(divisor);
    try (LossGradient actual = crossEntropy.gradient(x, y);
        PackedSequence ofEachStep = CrossEntropy.ofEachStep(x, y)) {
      assertEquals(1, ofEachStep.features());
      float[][][] losses = ofEachStep.toArrays();
      float[][][] gradient = actual.gradient().toArrays();
      double loss = 0;
      for (int b = 0; b < scores.length; b++) {
        for (int t = 0; t < scores[b].length; t++) {
          double sum = 0;
          for (float score : scores[b][t]) {
            sum += Math.exp(score);
          }
          double ofStep = Math.log(sum) - scores[b][t][targets[b][t]];
          assertEquals(ofStep, losses[b][t][0], 4e-6); // a few float roundings of numbers below 16
          loss += ofStep;
          for (int i = 0; i < scores[b][t].length; i++) {
            double expected = Math.exp(scores[b][t][i]) / sum - (i == targets[b][t] ? 1 : 0);
            assertEquals(expected / count, gradient[b][t][i], 1e-6 / count); // a few float roundings of numbers below 1
          }
        }
      }
      assertEquals(loss / count, actual.loss(), 1e-5 * (1 + loss / count));
      assertEquals(actual.loss(), crossEntropy.loss(x, y));
    }
  }

  @Test
  void batchWithoutStepsHasLossZero() {
    try (PackedSequence x = PackedSequence.of(new float[2][0][], 4);
        PackedTokens y = PackedTokens.of(new int[2][0], 4);
        LossGradient loss = new CrossEntropy(Divisor.MEAN_OVER_STEPS).gradient(x, y)) {
      assertEquals(0, loss.loss());
    }
  }
}
