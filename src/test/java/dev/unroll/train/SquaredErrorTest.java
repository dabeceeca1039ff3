package dev.unroll.train;

import static dev.unroll.Expect.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.unroll.sequence.PackedSequence;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class SquaredErrorTest {
  private static final float[][][] OUTPUTS = {{{1, 2}, {3, 4}}, {}, {{5, 6}}};
  private static final float[][][] TARGETS = {{{1, 0}, {2, 4}}, {}, {{5, 9}}};

  @Test
  void lossAndGradientEqualTheFormulaForEveryDivisor() {
    // Squared differences 0 4, 1 0, 0 9: means over features 2, 0.5, 4.5.
    check(Divisor.MEAN_OVER_STEPS, 3);
    check(Divisor.SUM_OVER_STEPS_MEAN_OVER_SEQUENCES, 3);
    check(Divisor.SUM_OVER_STEPS, 1);
  }

  private static void check(Divisor divisor, float count) {
    try (PackedSequence y = PackedSequence.of(OUTPUTS, 2);
        PackedSequence target = PackedSequence.of(TARGETS, 2);
        LossGradient result = new SquaredError(divisor).gradient(y, target)) {
      assertEquals(7 / count, result.loss(), 1e-6);
      assertEquals(result.loss(), new SquaredError(divisor).loss(y, target));
      float[][][] gradient = result.gradient().toArrays();
      assertArrayEquals(new float[] {0, 2 / count}, gradient[0][0], 1e-6f);
      assertArrayEquals(new float[] {1 / count, 0}, gradient[0][1], 1e-6f);
      assertArrayEquals(new float[] {0, -3 / count}, gradient[2][0], 1e-6f);
    }
  }

  @Test
  void weightsMultiplyTheLossAndGradientOfTheirSteps() {
    // Means over features 2, 0.5, 4.5, with weights of 2, 0 and 4.
    float[][][] weights = {{{2}, {0}}, {}, {{4}}};
    try (PackedSequence y = PackedSequence.of(OUTPUTS, 2);
        PackedSequence target = PackedSequence.of(TARGETS, 2);
        PackedSequence w = PackedSequence.of(weights, 1);
        LossGradient overSteps = new SquaredError(Divisor.MEAN_OVER_STEPS).gradient(y, target, w);
        LossGradient overWeights = new SquaredError(Divisor.MEAN_OVER_WEIGHTS).gradient(y, target, w)) {
      assertEquals(22 / 3.0, overSteps.loss(), 1e-6);
      assertEquals(22 / 6.0, overWeights.loss(), 1e-6);
      assertEquals(overWeights.loss(), new SquaredError(Divisor.MEAN_OVER_WEIGHTS).loss(y, target, w));
      float[][][] gradient = overWeights.gradient().toArrays();
      assertArrayEquals(new float[] {0, 4 / 6f}, gradient[0][0], 1e-6f);
      assertArrayEquals(new float[] {0, 0}, gradient[0][1]);
      assertArrayEquals(new float[] {0, -12 / 6f}, gradient[2][0], 1e-6f);
    }
  }

  @Test
  void longRowsHaveShortSums() {
    float[] values = new float[4_000_000];
    Arrays.fill(values, 0.3f);
    try (PackedSequence y = PackedSequence.ofFlat(new float[][] {values}, values.length);
        PackedSequence target = PackedSequence.ofFlat(new float[1][values.length], values.length)) {
      double expected = (double) 0.3f * 0.3f;
      // Sums of 64 terms, of 3907 blocks and of 16 lanes; in one piece, of 250,000 terms, the error is 1e-3.
      double bound = (64 + 3907 + 4) * Math.pow(2, -24);
      assertEquals(expected, new SquaredError(Divisor.SUM_OVER_STEPS).loss(y, target), bound * expected);
    }
  }

  @Test
  void otherShapesAreRefused() {
    SquaredError loss = new SquaredError(Divisor.MEAN_OVER_STEPS);
    try (PackedSequence y = PackedSequence.of(OUTPUTS, 2);
        PackedSequence wide = PackedSequence.of(new float[][][] {{{1, 2, 3}}}, 3);
        PackedSequence longer = PackedSequence.of(new float[][][] {{{1, 2}}}, 2)) {
      assertThrows(IllegalArgumentException.class, () -> loss.loss(y, wide));
      assertThrows(IllegalArgumentException.class, () -> loss.gradient(y, longer));
      assertThrows(NullPointerException.class, () -> loss.gradient(y, null));
      refused(NullPointerException.class, () -> loss.loss(y, y, null), "weights is null");
      refused(IllegalArgumentException.class, () -> loss.gradient(y, y, wide), "features of weights is 3", "1", "2");
    }
  }
}
