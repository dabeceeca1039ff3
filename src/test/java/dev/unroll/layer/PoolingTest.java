package dev.unroll.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.Expect;
import dev.unroll.Unroll;
import dev.unroll.sequence.PackedSequence;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One step out of all real steps of each sequence. */
class PoolingTest {
  private static final int[] LENGTHS = {3, 0, 7, 1, 7};
  private static final int FEATURES = 21;

  private final Random random = new Random(71);

  @ParameterizedTest
  @EnumSource
  void poolsEverySequenceOverItsOwnSteps(Pooling kind) {
    float[][][] x = RandomArrays.sequences(random, LENGTHS, FEATURES);
    try (PackedSequence input = PackedSequence.of(x, FEATURES);
        PackedSequence output = kind.forward(input)) {
      float[][][] y = output.toArrays();
      assertEquals(LENGTHS.length, y.length);
      for (int b = 0; b < x.length; b++) {
        assertEquals(1, y[b].length);
        for (int j = 0; j < FEATURES; j++) {
          // Sums of at most 7 numbers below 1.
          assertEquals(pooled(kind, x[b], j), y[b][0][j], 1e-6);
        }
      }
    }
  }

  private static double pooled(Pooling kind, float[][] sequence, int feature) {
    double sum = 0;
    double largest = sequence.length == 0 ? 0 : Double.NEGATIVE_INFINITY;
    for (float[] step : sequence) {
      sum += step[feature];
      largest = Math.max(largest, step[feature]);
    }
    return switch (kind) {
      case SUM -> sum;
      case MEAN -> sequence.length == 0 ? 0 : sum / sequence.length;
      case MAX -> largest;
    };
  }

  @ParameterizedTest
  @EnumSource
  void gradientsAreThoseOfTheFormula(Pooling kind) {
    float[][][] x = RandomArrays.sequences(random, LENGTHS, FEATURES);
    float[][] dY = RandomArrays.matrix(random, LENGTHS.length, FEATURES);
    try (PackedSequence input = PackedSequence.of(x, FEATURES);
        PackedSequence output = kind.forward(input);
        PackedSequence outputGradient = PackedSequence.ofFlat(dY, FEATURES);
        PackedSequence inputGradient = kind.backward(input, output, outputGradient)) {
      float[][][] dX = inputGradient.toArrays();
      for (int b = 0; b < x.length; b++) {
        for (int t = 0; t < x[b].length; t++) {
          for (int j = 0; j < FEATURES; j++) {
            double expected = dY[b][j] * derivative(kind, x[b], t, j);
            assertEquals(expected, dX[b][t][j], 1e-6);
          }
        }
      }
    }
  }

  /** By central differences: linear in each element, but where the largest changes, which these are too small for. */
  private static double derivative(Pooling kind, float[][] sequence, int step, int feature) {
    float difference = 0x1p-12f;
    float[][] changed = new float[sequence.length][];
    for (int t = 0; t < changed.length; t++) {
      changed[t] = sequence[t].clone();
    }
    changed[step][feature] += difference;
    double above = pooled(kind, changed, feature);
    changed[step][feature] -= 2 * difference;
    double below = pooled(kind, changed, feature);
    return Math.round((above - below) / (2 * difference) * 840) / 840.0; // 1 / 7, or whole
  }

  @Test
  void theFirstOfEqualStepsHasTheGradientOfTheLargest() {
    float[][][] x = {{{1, Float.NaN}, {2, 3}, {2, Float.NaN}}, {{-1, 0}}};
    try (PackedSequence input = PackedSequence.of(x, 2);
        PackedSequence output = Pooling.MAX.forward(input);
        PackedSequence outputGradient = PackedSequence.of(new float[][][] {{{5, 6}}, {{7, 8}}}, 2);
        PackedSequence inputGradient = Pooling.MAX.backward(input, output, outputGradient)) {
      assertArrayEquals(new float[] {2, Float.NaN}, output.step(0, 0));
      assertArrayEquals(new float[] {-1, 0}, output.step(1, 0));
      float[][][] expected = {{{0, 6}, {5, 0}, {0, 0}}, {{7, 8}}};
      Expect.sameBits(expected, inputGradient.toArrays());
    }
  }

  @ParameterizedTest
  @EnumSource
  void bitsDependOnNothingButTheSequence(Pooling kind) {
    int features = 1003;
    float[][][] x = RandomArrays.sequences(random, new int[] {300, 20, 1000, 300}, features);
    float[][][] turned = {x[3], x[2], x[1], x[0]};
    int before = Unroll.threads();
    try {
      Unroll.threads(1);
      float[][][] expected = run(kind, x, features);
      for (int threads : new int[] {1, 3}) {
        Unroll.threads(threads);
        Expect.sameBits(expected, run(kind, x, features));
        float[][][] back = run(kind, turned, features);
        Expect.sameBits(expected, new float[][][] {back[3], back[2], back[1], back[0]});
        for (int b = 0; b < x.length; b++) {
          Expect.sameBits(expected[b], run(kind, new float[][][] {x[b]}, features)[0]);
        }
      }
    } finally {
      Unroll.threads(before);
    }
  }

  /** What is pooled of each sequence, and after it the gradient of its steps, where the pooled values stand for dE/dy. */
  private static float[][][] run(Pooling kind, float[][][] x, int features) {
    try (PackedSequence input = PackedSequence.of(x, features);
        PackedSequence output = kind.forward(input);
        PackedSequence inputGradient = kind.backward(input, output, output)) {
      float[][][] y = output.toArrays();
      float[][][] dX = inputGradient.toArrays();
      float[][][] all = new float[x.length][][];
      for (int b = 0; b < x.length; b++) {
        all[b] = Stream.concat(Stream.of(y[b]), Stream.of(dX[b])).toArray(float[][]::new);
      }
      return all;
    }
  }

  @Test
  void aBatchOfNothingGivesNothing() {
    for (Pooling kind : Pooling.values()) {
      for (float[][][] x : new float[][][][] {{}, {{}, {}}}) {
        try (PackedSequence input = PackedSequence.of(x, 3);
            PackedSequence output = kind.forward(input);
            PackedSequence inputGradient = kind.backward(input, output, output)) {
          assertEquals(x.length, output.layout().rows());
          Expect.sameBits(new float[x.length][1][3], output.toArrays());
          assertEquals(input.layout(), inputGradient.layout());
        }
      }
    }
  }

  @TestFactory
  Stream<DynamicTest> refuses() {
    Pooling kind = Pooling.MEAN;
    PackedSequence input = PackedSequence.of(new float[][][] {{{1, 2}, {3, 4}}, {}}, 2);
    PackedSequence pooled = kind.forward(input);
    PackedSequence one = PackedSequence.of(new float[1][1][2], 2);
    PackedSequence narrow = PackedSequence.of(new float[2][1][1], 1);
    PackedSequence closed = PackedSequence.of(new float[2][1][2], 2);
    closed.close();
    Class<? extends Throwable> none = NullPointerException.class;
    Class<? extends Throwable> argument = IllegalArgumentException.class;
    Class<? extends Throwable> state = IllegalStateException.class;
    return Stream.of(
            Expect.refusal("no input", none, () -> kind.forward(null), "input is null"),
            Expect.refusal("closed input", state, () -> kind.forward(closed), "closed"),
            Expect.refusal("no x", none, () -> kind.backward(null, pooled, pooled), "input is null"),
            Expect.refusal("no y", none, () -> kind.backward(input, null, pooled), "output is null"),
            Expect.refusal("no dy", none, () -> kind.backward(input, pooled, null), "outputGradient is null"),
            Expect.refusal("closed y", state, () -> kind.backward(input, closed, pooled), "closed"),
            Expect.refusal("closed dy", state, () -> kind.backward(input, pooled, closed), "closed"),
            Expect.refusal(
                "other sequences", argument, () -> kind.backward(input, one, pooled), "layout of output", "1 sequences"),
            Expect.refusal(
                "steps", argument, () -> kind.backward(input, pooled, input), "layout of outputGradient", "2 steps"),
            Expect.refusal(
                "features", argument, () -> kind.backward(input, pooled, narrow), "outputGradient features is 1", "2"))
        .onClose(
            () -> {
              input.close();
              pooled.close();
              one.close();
              narrow.close();
            });
  }
}
