package dev.unroll.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.Expect;
import dev.unroll.Unroll;
import dev.unroll.sequence.PackedSequence;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Dropout outside of recurrent stacks. */
class DropoutTest {
  private static final int FEATURES = 50;

  private final float[][][] x = RandomArrays.sequences(new Random(73), new int[] {40, 0, 90, 90}, FEATURES);

  private static float[][][] run(Dropout dropout, float[][][] x, long key) {
    try (PackedSequence input = PackedSequence.of(x, FEATURES);
        PackedSequence output = dropout.forwardTraining(input, key)) {
      return output.toArrays();
    }
  }

  @Test
  void elementsAreDroppedOrGrow() {
    double probability = 0.3;
    float[][][] y = run(new Dropout(probability, 1), x, 1);
    int dropped = 0;
    int all = 0;
    for (int b = 0; b < x.length; b++) {
      for (int t = 0; t < x[b].length; t++) {
        for (int j = 0; j < FEATURES; j++) {
          all++;
          if (y[b][t][j] == 0) {
            dropped++;
          } else {
            assertEquals(x[b][t][j] / (1 - probability), y[b][t][j], 1e-6);
          }
        }
      }
    }
    // Five standard deviations of the binomial distribution.
    assertEquals(probability * all, dropped, 5 * Math.sqrt(all * probability * (1 - probability)));
  }

  @Test
  void theGradientLosesTheSameElements() {
    Dropout dropout = new Dropout(0.5, 3);
    try (PackedSequence input = PackedSequence.of(x, FEATURES);
        PackedSequence output = dropout.forwardTraining(input, 9);
        PackedSequence gradient = dropout.backward(input, 9)) {
      Expect.sameBits(output.toArrays(), gradient.toArrays());
    }
  }

  @Test
  void keysAndSeedsChooseOtherElements() {
    float[][][] expected = run(new Dropout(0.5, 3), x, 9);
    Expect.sameBits(expected, run(new Dropout(0.5, 3), x, 9));
    assertFalse(Arrays.deepEquals(expected, run(new Dropout(0.5, 3), x, 10)));
    assertFalse(Arrays.deepEquals(expected, run(new Dropout(0.5, 4), x, 9)));
    assertFalse(Arrays.deepEquals(expected, run(new Dropout(0.5, 9), x, 3)));
  }

  @Test
  void whatIsDroppedDependsOnThePlaceInTheCallersOrderAlone() {
    Dropout dropout = new Dropout(0.5, 3);
    float[][][] expected = run(dropout, x, 9);
    float[][][] shorter = {x[0], x[2], x[2], Arrays.copyOf(x[3], 5)}; // so another packed order
    int before = Unroll.threads();
    try {
      for (int threads : new int[] {1, 3}) {
        Unroll.threads(threads);
        Expect.sameBits(expected, run(dropout, x, 9));
        float[][][] actual = run(dropout, shorter, 9);
        Expect.sameBits(expected[0], actual[0]);
        Expect.sameBits(expected[2], actual[2]);
        Expect.sameBits(Arrays.copyOf(expected[3], 5), actual[3]);
      }
    } finally {
      Unroll.threads(before);
    }
  }

  @Test
  void ofProbabilityZeroNothingIsDropped() {
    Expect.sameBits(x, run(new Dropout(0, 1), x, 1));
    assertTrue(new Dropout(0.25, 1).toString().contains("0.25"));
    assertEquals(0.25, new Dropout(0.25, 1).probability());
  }

  @TestFactory
  Stream<DynamicTest> refuses() {
    Dropout dropout = new Dropout(0.5, 1);
    PackedSequence closed = PackedSequence.of(x, FEATURES);
    closed.close();
    Class<? extends Throwable> argument = IllegalArgumentException.class;
    Class<? extends Throwable> none = NullPointerException.class;
    Class<? extends Throwable> state = IllegalStateException.class;
    return Stream.of(
        Expect.refusal("all dropped", argument, () -> new Dropout(1, 1), "probability is 1.0", "below 1"),
        Expect.refusal("below none", argument, () -> new Dropout(-0.1, 1), "probability is -0.1"),
        Expect.refusal("no number", argument, () -> new Dropout(Double.NaN, 1), "probability is NaN"),
        Expect.refusal("no input", none, () -> dropout.forwardTraining(null, 1), "input is null"),
        Expect.refusal("no gradient", none, () -> dropout.backward(null, 1), "outputGradient is null"),
        Expect.refusal("closed", state, () -> dropout.forwardTraining(closed, 1), "closed"),
        Expect.refusal("closed gradient", state, () -> dropout.backward(closed, 1), "closed"));
  }
}
