package dev.unroll.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.Expect;
import dev.unroll.Unroll;
import dev.unroll.sequence.PackedSequence;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Layers without time over single steps that are in no batch: what they give in one, and nothing is left behind. */
class PlainArraysTest {
  private final Random random = new Random(77);

  @Test
  void stepsAloneHaveTheBitsThatTheyHaveInABatch() {
    int inputs = 21;
    int outputs = 37;
    float[] x = RandomArrays.vector(random, 3 * inputs);
    Softmax softmax = new Softmax(0.7);
    long before = Unroll.liveBytes();
    for (boolean hasBias : new boolean[] {true, false}) {
      try (Linear linear = new Linear(inputs, outputs, hasBias, 1);
          PackedSequence input = PackedSequence.ofFlat(new float[][] {x}, inputs);
          PackedSequence scores = linear.forward(input);
          PackedSequence squashed = Activation.TANH.forward(scores);
          PackedSequence probabilities = softmax.forward(squashed)) {
        float[] scoresAlone = new float[3 * outputs];
        linear.forward(x, scoresAlone);
        assertArrayEquals(scores.toFlatArrays()[0], scoresAlone);
        Activation.TANH.forward(scoresAlone, scoresAlone);
        assertArrayEquals(squashed.toFlatArrays()[0], scoresAlone);
        float[] one = squashed.step(0, 2);
        softmax.forward(one, one);
        assertArrayEquals(probabilities.step(0, 2), one);
      }
    }
    assertTrue(Unroll.liveBytes() <= before); // less if something that another test left open was collected
  }

  @Test
  void noStepsAreFine() {
    try (Linear linear = new Linear(3, 2, 1)) {
      linear.forward(new float[0], new float[0]);
    }
    Activation.RELU.forward(new float[0], new float[0]);
  }

  @Test
  void inputsStayAsTheyAre() {
    float[] x = {1, -2, 3};
    Activation.RELU.forward(x, new float[3]);
    new Softmax().forward(x, new float[3]);
    try (Linear linear = new Linear(3, 2, 1)) {
      linear.forward(x, new float[2]);
    }
    assertArrayEquals(new float[] {1, -2, 3}, x);
  }

  @TestFactory
  Stream<DynamicTest> refuses() {
    Linear linear = new Linear(3, 2, 1);
    Linear closed = new Linear(3, 2, 1);
    closed.close();
    float[] two = new float[2];
    float[] three = new float[3];
    Class<? extends Throwable> none = NullPointerException.class;
    Class<? extends Throwable> argument = IllegalArgumentException.class;
    return Stream.of(
            Expect.refusal("no input", none, () -> linear.forward(null, two), "input is null"),
            Expect.refusal("no output", none, () -> linear.forward(three, null), "output is null"),
            Expect.refusal("input", argument, () -> linear.forward(two, two), "size of input is 2", "multiple of 3"),
            Expect.refusal("output", argument, () -> linear.forward(three, three), "size of output is 3", "2"),
            Expect.refusal("closed", IllegalStateException.class, () -> closed.forward(three, two), "closed"),
            Expect.refusal("no x", none, () -> Activation.EXP.forward(null, two), "input is null"),
            Expect.refusal("no y", none, () -> Activation.EXP.forward(two, null), "output is null"),
            Expect.refusal("y", argument, () -> Activation.EXP.forward(two, three), "size of output is 3", "2"),
            Expect.refusal("no scores", none, () -> new Softmax().forward(null, two), "scores is null"),
            Expect.refusal("no p", none, () -> new Softmax().forward(two, null), "probabilities is null"),
            Expect.refusal("p", argument, () -> new Softmax().forward(two, three), "size of probabilities is 3", "2"),
            Expect.refusal("none", argument, () -> new Softmax().forward(new float[0], two), "size of scores is 0"))
        .onClose(linear::close);
  }
}
