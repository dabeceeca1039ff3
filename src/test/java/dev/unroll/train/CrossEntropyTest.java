package dev.unroll.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
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
        PackedSequence ofEachStep = crossEntropy.ofEachStep(x, y)) {
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

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.1, 1})
  void smoothedLabelsShareSomeOfTheirProbability(double smoothing) {
    float[][][] scores = {{{1, 2, 0}, {0, 3, -1}}, {}, {{2, 2, 5}}};
    int[][] targets = {{0, 1}, {}, {2}};
    double expected = 0;
    CrossEntropy loss = new CrossEntropy(Divisor.MEAN_OVER_STEPS, smoothing);
    try (PackedSequence x = PackedSequence.of(scores, 3);
        PackedTokens y = PackedTokens.of(targets, 3);
        LossGradient actual = loss.gradient(x, y)) {
      float[][][] gradient = actual.gradient().toArrays();
      for (int b = 0; b < scores.length; b++) {
        for (int t = 0; t < scores[b].length; t++) {
          double sum = 0;
          for (float score : scores[b][t]) {
            sum += Math.exp(score);
          }
          for (int i = 0; i < 3; i++) {
            double target = (i == targets[b][t] ? 1 - smoothing : 0) + smoothing / 3;
            double p = Math.exp(scores[b][t][i]) / sum;
            expected -= target * Math.log(p) / 3;
            assertEquals((p - target) / 3, gradient[b][t][i], 1e-6); // a few float roundings of numbers below 1
          }
        }
      }
      assertEquals(expected, actual.loss(), 1e-6 * (1 + expected)); // likewise
      assertEquals(actual.loss(), loss.loss(x, y));
    }
  }

  @Test
  void weightsMultiplyTheLossAndGradientOfTheirSteps() {
    float[][][] scores = {{{1, 2, 0}, {0, 3, -1}}, {}, {{2, 2, 5}}};
    int[][] targets = {{0, 1}, {}, {2}};
    float[] ofClasses = {3, 0.5f, 0};
    double total = 3.5;
    Map<Divisor, Double> counts =
        Map.of(
            Divisor.MEAN_OVER_STEPS, 3.0,
            Divisor.MEAN_OVER_WEIGHTS, total,
            Divisor.SUM_OVER_STEPS_MEAN_OVER_SEQUENCES, 3.0,
            Divisor.SUM_OVER_STEPS, 1.0);
    try (PackedSequence x = PackedSequence.of(scores, 3);
        PackedTokens y = PackedTokens.of(targets, 3);
        PackedSequence weights = y.lookUp(ofClasses);
        PackedSequence ofEachStep = new CrossEntropy(Divisor.SUM_OVER_STEPS).ofEachStep(x, y);
        LossGradient plain = new CrossEntropy(Divisor.SUM_OVER_STEPS).gradient(x, y)) {
      float[][][] losses = ofEachStep.toArrays();
      float[][][] gradients = plain.gradient().toArrays();
      counts.forEach(
          (divisor, count) -> {
            CrossEntropy weighted = new CrossEntropy(divisor);
            try (LossGradient actual = weighted.gradient(x, y, weights)) {
              double expected = (3 * losses[0][0][0] + 0.5 * losses[0][1][0]) / count;
              assertEquals(expected, actual.loss(), 1e-6);
              assertEquals(actual.loss(), weighted.loss(x, y, weights));
              float[][][] gradient = actual.gradient().toArrays();
              for (int i = 0; i < 3; i++) {
                assertEquals(3 * gradients[0][0][i] / count, gradient[0][0][i], 1e-6);
                assertEquals(0.5 * gradients[0][1][i] / count, gradient[0][1][i], 1e-6);
                assertEquals(0, Math.abs(gradient[2][0][i]));
              }
            }
          });
      CrossEntropy overWeights = new CrossEntropy(Divisor.MEAN_OVER_WEIGHTS);
      assertEquals(plain.loss() / 3, overWeights.loss(x, y), 1e-6); // each weighs 1
    }
  }

  @Test
  void weightedLossesDependOnNoOrderOfTheSequences() {
    Random random = new Random(3);
    CrossEntropy loss = new CrossEntropy(Divisor.MEAN_OVER_WEIGHTS);
    for (int round = 0; round < 50; round++) {
      int sequences = 40;
      float[][][] scores = new float[sequences][][];
      float[][][] weights = new float[sequences][][];
      int[][] targets = new int[sequences][];
      List<Integer> order = new ArrayList<>();
      for (int b = 0; b < sequences; b++) {
        order.add(b);
        int steps = random.nextInt(4);
        targets[b] = random.ints(steps, 0, 5).toArray();
        scores[b] = new float[steps][5];
        weights[b] = new float[steps][1];
        for (int t = 0; t < steps; t++) {
          weights[b][t][0] = random.nextFloat();
          for (int i = 0; i < 5; i++) {
            scores[b][t][i] = (float) random.nextGaussian();
          }
        }
      }
      double expected = weightedLoss(loss, scores, targets, weights);
      Collections.shuffle(order, random);
      double shuffled =
          weightedLoss(
              loss,
              order.stream().map(b -> scores[b]).toArray(float[][][]::new),
              order.stream().map(b -> targets[b]).toArray(int[][]::new),
              order.stream().map(b -> weights[b]).toArray(float[][][]::new));
      assertEquals(expected, shuffled);
    }
  }

  private static double weightedLoss(CrossEntropy loss, float[][][] scores, int[][] targets, float[][][] weights) {
    try (PackedSequence x = PackedSequence.of(scores, 5);
        PackedTokens y = PackedTokens.of(targets, 5);
        PackedSequence w = PackedSequence.of(weights, 1)) {
      return loss.loss(x, y, w);
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
