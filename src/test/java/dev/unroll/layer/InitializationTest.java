package dev.unroll.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class InitializationTest {
  private static double[] statistics(float[] values) {
    double sum = 0;
    double squares = 0;
    double largest = 0;
    for (float value : values) {
      sum += value;
      squares += (double) value * value;
      largest = Math.max(largest, Math.abs(value));
    }
    return new double[] {sum / values.length, squares / values.length, largest};
  }

  /** Mean, variance bound^2 / 3 and range of a uniform distribution, within five standard deviations. */
  private static void checkUniform(double bound, float[] values) {
    double[] s = statistics(values);
    double deviations = 5 / Math.sqrt(values.length);
    assertEquals(0, s[0], bound / Math.sqrt(3) * deviations);
    assertEquals(bound * bound / 3, s[1], bound * bound * 0.3 * deviations);
    assertTrue(s[2] <= bound && s[2] > 0.98 * bound, "largest " + s[2] + " of " + bound);
  }

  @Test
  void defaultIsUniformByTheHiddenSizeEverywhere() {
    try (Lstm layer = Lstm.builder(20, 25).layers(2).bidirectional(true).projectionSize(10).peepholes(true).build()) {
      for (Parameter parameter : layer.parameters()) {
        if (parameter.size() >= 250) {
          checkUniform(0.2, parameter.values());
        }
      }
    }
  }

  @Test
  void glorotAndOrthogonalAsInKeras() {
    try (Gru layer = Gru.builder(40, 20).initialization(Initialization.GLOROT_ORTHOGONAL).build()) {
      checkUniform(Math.sqrt(6.0 / (40 + 60)), layer.parameter("weight_ih_l0").values());
      float[] w = layer.parameter("weight_hh_l0").values();
      for (int a = 0; a < 20; a++) {
        for (int b = 0; b < 20; b++) {
          double dot = 0;
          for (int r = 0; r < 60; r++) {
            dot += (double) w[r * 20 + a] * w[r * 20 + b];
          }
          assertEquals(a == b ? 1 : 0, dot, 1e-6); // 60 products of elements rounded to float
        }
      }
      assertArrayEquals(new float[60], layer.parameter("bias_ih_l0").values());
      assertArrayEquals(new float[60], layer.parameter("bias_hh_l0").values());
    }
  }

  /** The only draw of this seed is 0: no column of a matrix can be made of it. */
  @Test
  void aColumnOfNothingGivesWayToAnAxis() {
    try (Rnn layer = Rnn.builder(1, 1).initialization(Initialization.GLOROT_ORTHOGONAL).seed(10916473).build()) {
      assertArrayEquals(new float[] {1}, layer.parameter("weight_hh_l0").values());
    }
    // The second column is a multiple of the first, and the first axis is the first column.
    assertArrayEquals(new float[] {1, 0, 0, 1}, Orthonormal.columns(new float[] {2, -4, 0, 0}, 2, 2));
  }

  @Test
  void weightsDependOnTheSeedAlone() {
    try (Rnn one = Rnn.builder(5, 7).seed(3).build();
        Rnn same = Rnn.builder(5, 7).seed(3).build();
        Rnn other = Rnn.builder(5, 7).seed(4).build()) {
      for (Parameter parameter : one.parameters()) {
        assertArrayEquals(parameter.values(), same.parameter(parameter.name()).values());
        assertFalse(Arrays.equals(parameter.values(), other.parameter(parameter.name()).values()));
      }
    }
  }

  @Test
  void unknownParameterIsRefusedWithTheNamesThatThereAre() {
    try (Rnn layer = Rnn.builder(5, 7).build()) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> layer.parameter("weight_hh_l1")).getMessage();
      assertTrue(message.contains("weight_hh_l1") && message.contains("weight_hh_l0[7, 7]"), message);
    }
  }
}
