package dev.unroll.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.Expect;
import dev.unroll.Unroll;
import dev.unroll.sequence.PackedSequence;
import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Activations against the formula in double precision, at their ends, on several threads, and abused. */
class ActivationTest {
  private static final float INFINITY = Float.POSITIVE_INFINITY;

  private static double value(Activation kind, double x) {
    return switch (kind) {
      case RELU -> Math.max(x, 0);
      case TANH -> Math.tanh(x);
      case SIGMOID -> 1 / (1 + Math.exp(-x));
      case SOFTPLUS -> Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
      case EXP -> Math.exp(x);
      case LOG -> Math.log(x);
    };
  }

  /** Of the central difference: 3e-11 for values below 1000. */
  private static double derivative(DoubleUnaryOperator function, double x) {
    double step = 1e-5 * Math.max(1, Math.abs(x));
    return (function.applyAsDouble(x + step) - function.applyAsDouble(x - step)) / (2 * step);
  }

  @ParameterizedTest
  @EnumSource
  void valuesAndGradientsEqualTheFormula(Activation kind) {
    Random random = new Random(61);
    float[][][] x = RandomArrays.sequences(random, new int[] {9, 0, 4}, 37);
    float[][][] dY = RandomArrays.sequences(random, new int[] {9, 0, 4}, 37);
    for (float[][] sequence : x) {
      for (float[] step : sequence) {
        for (int j = 0; j < step.length; j++) {
          step[j] = kind == Activation.LOG ? 0.5f + Math.abs(6 * step[j]) : 6 * step[j];
        }
      }
    }
    try (PackedSequence input = PackedSequence.of(x, 37);
        PackedSequence output = kind.forward(input);
        PackedSequence outputGradient = PackedSequence.of(dY, 37);
        PackedSequence inputGradient = kind.backward(output, outputGradient)) {
      float[][][] y = output.toArrays();
      float[][][] dX = inputGradient.toArrays();
      for (int b = 0; b < x.length; b++) {
        for (int t = 0; t < x[b].length; t++) {
          for (int j = 0; j < 37; j++) {
            double expected = value(kind, x[b][t][j]);
            // Two units in the last place; the derivative is taken from the rounded value, near 1 that of tanh is small.
            assertEquals(expected, y[b][t][j], 2.4e-7 * Math.abs(expected));
            double gradient = dY[b][t][j] * derivative(v -> value(kind, v), x[b][t][j]);
            assertEquals(gradient, dX[b][t][j], 5e-7 * Math.max(1, Math.abs(expected)));
          }
        }
      }
    }
  }

  @Test
  void endsAreWhatTheLimitsAre() {
    float[] x = {-INFINITY, -200, -0.0f, 0, Float.MIN_VALUE, 200, INFINITY, Float.NaN};
    float ln2 = (float) Math.log(2);
    assertEnds(Activation.RELU, x, 0, 0, -0.0f, 0, 0, 200, INFINITY, Float.NaN);
    assertEnds(Activation.TANH, x, -1, -1, -0.0f, 0, 0, 1, 1, Float.NaN);
    assertEnds(Activation.SIGMOID, x, 0, 0, 0.5f, 0.5f, 0.5f, 1, 1, Float.NaN);
    assertEnds(Activation.SOFTPLUS, x, 0, 0, ln2, ln2, ln2, 200, INFINITY, Float.NaN);
    assertEnds(Activation.EXP, x, 0, 0, 1, 1, 1, INFINITY, INFINITY, Float.NaN);
    float ln200 = (float) Math.log(200);
    assertEnds(
        Activation.LOG, x, Float.NaN, Float.NaN, -INFINITY, -INFINITY, -INFINITY, ln200, INFINITY, Float.NaN);
  }

  @Test
  void logAndItsGradientAreExactOverAllBinades() {
    Random random = new Random(63);
    float[] x = new float[3 * 252];
    for (int i = 0; i < x.length; i++) {
      x[i] = Math.scalb(1 + random.nextFloat(), i / 3 - 126);
    }
    x[0] = 0;
    x[1] = INFINITY;
    float[] ones = new float[x.length];
    Arrays.fill(ones, 1);
    try (PackedSequence input = PackedSequence.ofFlat(new float[][] {x}, 1);
        PackedSequence output = Activation.LOG.forward(input);
        PackedSequence outputGradient = PackedSequence.ofFlat(new float[][] {ones}, 1);
        PackedSequence inputGradient = Activation.LOG.backward(output, outputGradient)) {
      float[] y = output.toFlatArrays()[0];
      float[] dX = inputGradient.toFlatArrays()[0];
      assertEquals(INFINITY, dX[0]);
      assertEquals(0, dX[1]);
      for (int i = 2; i < x.length; i++) {
        double exact = Math.log(x[i]);
        assertEquals(exact, y[i], Math.ulp((float) exact));
        // y is off by up to one unit, |y| * 2^-23, which is so much of e^-y; the exp itself rounds once.
        assertEquals(1.0 / x[i], dX[i], (1 + Math.abs(exact)) * 0x1p-23 / x[i]);
      }
    }
  }

  private static void assertEnds(Activation kind, float[] x, float... expected) {
    try (PackedSequence input = PackedSequence.ofFlat(new float[][] {x}, 1);
        PackedSequence output = kind.forward(input)) {
      // Adding 0 makes -0 plain, and a denormal stays what it is: both zeros count as 0 here.
      float[] actual = output.toFlatArrays()[0];
      for (int i = 0; i < x.length; i++) {
        assertEquals(expected[i] + 0.0f, actual[i] + 0.0f, kind + " of " + x[i]);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void bitsDoNotDependOnThreadsNorOnWhatElseIsInTheBatch(Activation kind) {
    Random random = new Random(62);
    int features = 200_003; // shared among the threads
    float[][] x = {RandomArrays.vector(random, features), RandomArrays.vector(random, features)};
    int before = Unroll.threads();
    try (PackedSequence both = PackedSequence.ofFlat(x, features);
        PackedSequence second = PackedSequence.ofFlat(new float[][] {x[1]}, features)) {
      Unroll.threads(1);
      float[][] alone = run(kind, second);
      for (int threads : new int[] {1, 3}) {
        Unroll.threads(threads);
        Expect.sameBits(alone, new float[][] {run(kind, both)[1]});
      }
    } finally {
      Unroll.threads(before);
    }
  }

  /** Values, and after them gradients, of every sequence. */
  private static float[][] run(Activation kind, PackedSequence input) {
    try (PackedSequence output = kind.forward(input);
        PackedSequence gradient = kind.backward(output, input)) {
      float[][] y = output.toFlatArrays();
      float[][] dX = gradient.toFlatArrays();
      float[][] results = new float[y.length][];
      for (int b = 0; b < y.length; b++) {
        results[b] = Arrays.copyOf(y[b], 2 * y[b].length);
        System.arraycopy(dX[b], 0, results[b], y[b].length, dX[b].length);
      }
      return results;
    }
  }

  @Test
  void backwardPropagatesNanAndLeavesItsArgumentsAlone() {
    float[] y = {1, Float.NaN, 0.5f};
    float[] dY = {Float.NaN, 1, 2};
    try (PackedSequence output = PackedSequence.ofFlat(new float[][] {y}, 3);
        PackedSequence outputGradient = PackedSequence.ofFlat(new float[][] {dY}, 3)) {
      for (Activation kind : new Activation[] {Activation.TANH, Activation.SIGMOID, Activation.SOFTPLUS, Activation.EXP, Activation.LOG}) {
        try (PackedSequence dX = kind.backward(output, outputGradient)) {
          assertEquals(Float.NaN, dX.step(0, 0)[0]);
          assertEquals(Float.NaN, dX.step(0, 0)[1]);
        }
      }
      assertArrayEquals(y, output.step(0, 0));
      assertArrayEquals(dY, outputGradient.step(0, 0));
    }
  }

  @TestFactory
  Stream<DynamicTest> refuses() {
    PackedSequence three = PackedSequence.ofFlat(new float[][] {{1, 2, 3}, {}}, 3);
    PackedSequence one = PackedSequence.ofFlat(new float[][] {{1, 2, 3}, {}}, 1);
    PackedSequence reordered = PackedSequence.ofFlat(new float[][] {{}, {1, 2, 3}}, 3);
    PackedSequence closed = PackedSequence.ofFlat(new float[][] {{1, 2, 3}, {}}, 3);
    closed.close();
    return Stream.of(Activation.values())
        .flatMap(
            kind ->
                Stream.of(
                    refusal(kind, "null input", NullPointerException.class, () -> kind.forward(null), "input is null"),
                    refusal(kind, "closed", IllegalStateException.class, () -> kind.forward(closed), "is closed"),
                    refusal(kind, "null y", NullPointerException.class, () -> kind.backward(null, three), "output"),
                    refusal(
                        kind, "null dy", NullPointerException.class, () -> kind.backward(three, null), "outputGradient"),
                    refusal(
                        kind, "features", IllegalArgumentException.class, () -> kind.backward(three, one), "1", "3"),
                    refusal(
                        kind,
                        "layout",
                        IllegalArgumentException.class,
                        () -> kind.backward(three, reordered),
                        "[0, 1]",
                        "[1, 0]"),
                    refusal(kind, "closed y", IllegalStateException.class, () -> kind.backward(closed, three), "closed"),
                    refusal(
                        kind, "closed dy", IllegalStateException.class, () -> kind.backward(three, closed), "closed")))
        .onClose(
            () -> {
              three.close();
              one.close();
              reordered.close();
            });
  }

  private static DynamicTest refusal(
      Activation kind,
      String what,
      Class<? extends Throwable> type,
      Executable call,
      String... mentioned) {
    return Expect.refusal(kind + ": " + what, type, call, mentioned);
  }
}
