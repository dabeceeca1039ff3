package dev.unroll.layer;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.sequence.PackedSequence;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A sum of K products is off by at most (min(K, 256) + min(K / 256, 16) + K / 4096 + 1) * 2^-24 of the sum of their
 * magnitudes: a rounding for each product in a block of 256, one for each block in a group of 16, one for each group, one
 * for the start value.
 */
class AccumulationTest {
  private static final int OUTPUTS = 3;

  private static double bound(int k) {
    return (Math.min(k, 256) + Math.min(Math.ceil(k / 256.0), 16) + Math.ceil(k / 4096.0) + 1) * 0x1p-24;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 255, 256, 257, 1000, 10_000, 100_000})
  void matrixProductsKeepTheBound(int k) {
    float[] x = RandomArrays.vector(new Random(k), k);
    try (Linear layer = new Linear(k, OUTPUTS, 1);
        PackedSequence input = PackedSequence.ofFlat(new float[][] {x}, k);
        PackedSequence output = layer.forward(input)) {
      float[] weight = layer.parameter("weight").values();
      float[] bias = layer.parameter("bias").values();
      float[] y = output.step(0, 0);
      for (int o = 0; o < OUTPUTS; o++) {
        double sum = bias[o];
        double magnitude = Math.abs(bias[o]);
        for (int i = 0; i < k; i++) {
          double product = (double) weight[o * k + i] * x[i];
          sum += product;
          magnitude += Math.abs(product);
        }
        assertWithin(k, sum, y[o], magnitude);
      }
    }
  }

  /** There k runs over the rows of the batch. All products are positive, so that errors do not cancel. */
  @ParameterizedTest
  @ValueSource(ints = {1, 257, 10_000, 100_000})
  void weightGradientsKeepTheBound(int k) {
    Random random = new Random(k);
    float[] x = RandomArrays.vector(random, k);
    float[] dY = RandomArrays.vector(random, k * OUTPUTS);
    for (int n = 0; n < k; n++) {
      x[n] = Math.abs(x[n]);
      for (int o = 0; o < OUTPUTS; o++) {
        dY[n * OUTPUTS + o] = Math.abs(dY[n * OUTPUTS + o]);
      }
    }
    try (Linear layer = new Linear(1, OUTPUTS, 1);
        PackedSequence input = PackedSequence.ofFlat(new float[][] {x}, 1);
        PackedSequence outputGradient = PackedSequence.ofFlat(new float[][] {dY}, OUTPUTS)) {
      layer.backward(input, outputGradient).close();
      float[] gradient = layer.parameter("weight").gradient();
      for (int o = 0; o < OUTPUTS; o++) {
        double sum = 0;
        for (int n = 0; n < k; n++) {
          sum += (double) dY[n * OUTPUTS + o] * x[n];
        }
        assertWithin(k, sum, gradient[o], sum);
      }
    }
  }

  private static void assertWithin(int k, double exact, double actual, double magnitude) {
    double error = Math.abs(actual - exact) / magnitude;
    assertTrue(error <= bound(k), () -> "error " + error + " of the magnitudes, bound " + bound(k) + ", K = " + k);
  }
}
