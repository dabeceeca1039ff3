package dev.unroll.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import dev.unroll.train.CrossEntropy;
import dev.unroll.train.Divisor;
import dev.unroll.train.LossGradient;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Softmax, its logarithm and cross-entropy of extreme rows: nothing overflows and no probability is lost. */
class SoftmaxEdgeTest {
  private static final float INFINITY = Float.POSITIVE_INFINITY;

  /** What comes out for one row of scores and one target. */
  private record Row(float[] p, float[] logP, double loss, float[] gradient) {}

  private static Row of(float[] scores, int target) {
    try (PackedSequence x = PackedSequence.ofFlat(new float[][] {scores}, scores.length);
        PackedTokens targets = PackedTokens.of(new int[][] {{target}}, scores.length);
        PackedSequence p = new Softmax().forward(x);
        PackedSequence logP = new Softmax().logForward(x);
        LossGradient loss = new CrossEntropy(Divisor.SUM_OVER_STEPS).gradient(x, targets)) {
      assertEquals(loss.loss(), new CrossEntropy(Divisor.SUM_OVER_STEPS).loss(x, targets));
      return new Row(p.step(0, 0), logP.step(0, 0), loss.loss(), loss.gradient().step(0, 0));
    }
  }

  /** 20 columns are more than one vector, so the tail of a row counts too. */
  private static float[] row(float fill, float... first) {
    float[] scores = new float[20];
    Arrays.fill(scores, fill);
    System.arraycopy(first, 0, scores, 0, first.length);
    return scores;
  }

  @Test
  void minusInfinityHasProbabilityZeroAndNoGradient() {
    Row row = of(row(-INFINITY, 5, -INFINITY, 5), 0);
    assertArrayEquals(row(0, 0.5f, 0, 0.5f), row.p);
    float half = (float) Math.log(0.5);
    assertArrayEquals(row(-INFINITY, half, -INFINITY, half), row.logP);
    assertEquals(Math.log(2), row.loss, 6e-8);
    assertArrayEquals(row(0, -0.5f, 0, 0.5f), row.gradient);
  }

  @Test
  void aTargetOfMinusInfinityLosesWithoutLimit() {
    Row row = of(row(1, -INFINITY), 0);
    assertEquals(INFINITY, row.loss);
    assertEquals(-1, row.gradient[0]);
    assertEquals(1.0 / 19, row.gradient[1], 1e-8);
  }

  @ParameterizedTest
  @ValueSource(floats = {200, 1e10f, 3e38f})
  void oneHugeScoreTakesAllAndTheLogarithmsOfTheOthersStay(float huge) {
    Row row = of(row(0, 0, huge), 0);
    assertArrayEquals(row(0, 0, 1), row.p);
    assertArrayEquals(row(-huge, -huge, 0), row.logP);
    assertEquals(huge, row.loss);
    assertArrayEquals(row(0, -1, 1), row.gradient);
    Row negative = of(row(-huge, -huge, huge), 1);
    assertArrayEquals(row(0, 0, 1), negative.p);
    assertEquals(0, negative.loss);
  }

  /** Scores divided by this temperature are beyond all floats, but only differences count. */
  @Test
  void noTemperatureLetsScoresOverflow() {
    float[] scores = row(-3e38f, 3e38f, 2e38f, 3e38f);
    for (double temperature : new double[] {0.5, 1e-37}) {
      Softmax softmax = new Softmax(temperature);
      try (PackedSequence x = PackedSequence.ofFlat(new float[][] {scores}, scores.length);
          PackedSequence p = softmax.forward(x);
          PackedSequence logP = softmax.logForward(x)) {
        assertArrayEquals(row(0, 0.5f, 0, 0.5f), p.step(0, 0));
        assertEquals((float) Math.log(0.5), logP.step(0, 0)[0]);
      }
    }
    try (PackedSequence x = PackedSequence.ofFlat(new float[][] {{-3e38f, 3e38f}}, 2); // 6e38 apart, divided by 5e37
        PackedSequence p = new Softmax(5e37).forward(x);
        PackedSequence logP = new Softmax(5e37).logForward(x)) {
      assertEquals(1 / (1 + Math.exp(12)), p.step(0, 0)[0], 1e-10);
      assertEquals(-12 - Math.log1p(Math.exp(-12)), logP.step(0, 0)[0], 2e-6);
    }
  }

  /** With sums in one piece the mean would be wrong by thousands of units. */
  @Test
  void longRowsHaveShortSums() {
    int columns = 1_000_000;
    float[] ones = new float[columns];
    Arrays.fill(ones, 1);
    Softmax softmax = new Softmax();
    try (PackedSequence x = PackedSequence.ofFlat(new float[][] {new float[columns]}, columns);
        PackedSequence p = softmax.forward(x);
        PackedSequence dP = PackedSequence.ofFlat(new float[][] {ones}, columns);
        PackedSequence dX = softmax.backward(p, dP)) {
      // y (1 - sum y): a sum of 64 parts of a block, of 977 blocks and of 16 lanes, and y itself, are rounded.
      assertEquals(0, dX.step(0, 0)[0] * columns, 1e-5);
    }
  }

  @Test
  void rowsWithoutADistributionAreNanThroughout() {
    // Of equals at +infinity or -infinity there is no difference, and NaN is no number: no answer would be right.
    for (float[] scores :
        new float[][] {row(-INFINITY), row(0, INFINITY), row(INFINITY), row(0, Float.NaN), row(Float.NaN), {-INFINITY}}) {
      Row row = of(scores, 0);
      for (float[] values : new float[][] {row.p, row.logP, row.gradient}) {
        for (float value : values) {
          assertTrue(Float.isNaN(value), () -> Arrays.toString(values) + " of " + Arrays.toString(scores));
        }
      }
      assertTrue(Double.isNaN(row.loss));
    }
  }

  @Test
  void aNanOrInfinityStaysInItsRow() {
    for (float extreme : new float[] {Float.NaN, INFINITY, -INFINITY}) {
      for (int rows = 1; rows <= 9; rows++) { // rows are worked on in groups
        float[][][] scores = RandomArrays.sequences(new Random(5), new int[] {rows}, 20);
        float[][][] expected = softmax(scores);
        scores[0][rows / 2][17] = extreme;
        float[][][] actual = softmax(scores);
        for (int r = 0; r < rows; r++) {
          if (r != rows / 2) {
            assertArrayEquals(expected[0][r], actual[0][r]);
          }
        }
      }
    }
  }

  private static float[][][] softmax(float[][][] scores) {
    try (PackedSequence x = PackedSequence.of(scores, 20);
        PackedSequence p = new Softmax().forward(x)) {
      return p.toArrays();
    }
  }

  @Test
  void oneColumnIsCertain() {
    for (float score : new float[] {0, -3e38f, 3e38f, Float.MIN_VALUE}) {
      Row row = of(new float[] {score}, 0);
      assertArrayEquals(new float[] {1}, row.p);
      assertArrayEquals(new float[] {0}, row.logP);
      assertEquals(0, row.loss);
      assertArrayEquals(new float[] {0}, row.gradient);
    }
  }

  /**
   * The bounds are three times the errors that {@code bench_softmax_ulp} prints for such rows: probabilities 20 units,
   * most of them from the rounding of score minus maximum, logarithms and loss 1.2, sum and gradient 2.6 * 2^-24.
   */
  @ParameterizedTest
  @ValueSource(ints = {2, 65, 1023, 1024, 1025, 10_000, 100_000})
  void longRowsAreAsExactAsShortOnes(int columns) {
    float[] scores = RandomArrays.vector(new Random(columns), columns);
    for (int c = 0; c < columns; c++) {
      scores[c] *= 10;
    }
    int target = columns / 2;
    Row row = of(scores, target);
    double maximum = Double.NEGATIVE_INFINITY;
    for (float score : scores) {
      maximum = Math.max(maximum, score);
    }
    double sum = 0;
    for (float score : scores) {
      sum += Math.exp(score - maximum);
    }
    double sumOfP = 0;
    for (int c = 0; c < columns; c++) {
      double logP = scores[c] - maximum - Math.log(sum);
      double p = Math.exp(logP);
      sumOfP += row.p[c];
      assertEquals(p, row.p[c], 60 * Math.ulp((float) p));
      assertEquals(logP, row.logP[c], 3.6 * Math.ulp((float) Math.max(1, -logP)));
      assertEquals(c == target ? p - 1 : p, row.gradient[c], 7.8 * 0x1p-24);
      if (c == target) {
        assertEquals(-logP, row.loss, 3.6 * Math.ulp((float) Math.max(1, -logP)));
      }
    }
    assertEquals(1, sumOfP, 7.8 * 0x1p-24);
  }

  /** Large scores times 1 / 0.7 are rounded by more than 1; none may come out above the maximum for that. */
  @ParameterizedTest
  @ValueSource(floats = {1e8f, 3e9f, 1e20f, 2e38f})
  void roundingOfScaledScoresCannotOverflow(float huge) {
    float[] scores = row(huge, 0, Math.nextDown(huge), -huge);
    try (PackedSequence x = PackedSequence.ofFlat(new float[][] {scores}, 20);
        PackedSequence p = new Softmax(0.7).forward(x);
        PackedSequence logP = new Softmax(0.7).logForward(x)) {
      double sum = 0;
      for (int c = 0; c < 20; c++) {
        sum += p.step(0, 0)[c];
        assertTrue(logP.step(0, 0)[c] <= 0);
      }
      assertEquals(1, sum, 1e-6);
      assertEquals(0, p.step(0, 0)[0] + p.step(0, 0)[2]);
      assertEquals(p.step(0, 0)[19], p.step(0, 0)[4]);
    }
  }

  @Test
  void temperatureScalesDifferencesFromTheMaximum() {
    try (PackedSequence x = PackedSequence.ofFlat(new float[][] {row(0, 3e37f, -3e37f)}, 20);
        PackedSequence cold = new Softmax(1e-30).forward(x);
        PackedSequence hot = new Softmax(1e37).forward(x)) {
      assertArrayEquals(row(0, 1), cold.step(0, 0)); // 3e37 / 1e-30 would be infinity
      double sum = Math.exp(3) + Math.exp(-3) + 18;
      assertEquals(Math.exp(3) / sum, hot.step(0, 0)[0], 1e-7);
    }
  }
}
