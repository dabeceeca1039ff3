package dev.unroll.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.Expect;
import dev.unroll.layer.Linear;
import dev.unroll.layer.Parameter;
import dev.unroll.sequence.PackedSequence;
import java.util.AbstractList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Optimisers against PyTorch's formulas in double precision, over several steps with changing gradients. */
class OptimizerTest {
  private static final int INPUTS = 7;
  private static final int OUTPUTS = 5; // 35 weights: two whole vectors of 16 and a rest
  private static final double TOLERANCE = 1e-6; // ten steps of a few float roundings of numbers below 1

  private final Random random = new Random(41);
  private double[] weights;
  private double[] gradient;

  @Test
  void sgdWithMomentumAndClippingEqualsTheFormula() {
    double rate = 0.1;
    double momentum = 0.9;
    double clip = 0.5;
    double[] u = new double[(INPUTS + 1) * OUTPUTS];
    try (Linear layer = new Linear(INPUTS, OUTPUTS, 1);
        Sgd sgd = Sgd.builder(layer.parameters()).learningRate(rate).momentum(momentum).clipNorm(clip).build()) {
      for (int step = 0; step < 10; step++) {
        load(layer);
        double scale = Math.min(1, clip / (norm() + 1e-6));
        assertEquals(norm(), sgd.gradientNorm(), 1e-5 * norm());
        sgd.step();
        for (int i = 0; i < u.length; i++) {
          u[i] = momentum * u[i] + scale * gradient[i];
          weights[i] -= rate * u[i];
        }
        compare(layer);
      }
    }
  }

  /** Gradients of several batches, averaged in the end, and then clipped. */
  @Test
  void aScaledStepIsThatOfScaledGradients() {
    double rate = 0.1;
    for (double clip : new double[] {0.05, 1e9}) {
      for (double scale : new double[] {1e-3, 0.25, 7}) {
        try (Linear layer = new Linear(INPUTS, OUTPUTS, 1);
            Sgd sgd = Sgd.builder(layer.parameters()).learningRate(rate).clipNorm(clip).build()) {
          weights = null;
          load(layer);
          sgd.step(scale);
          double factor = rate * scale * Math.min(1, clip / (scale * norm() + 1e-6));
          for (int i = 0; i < weights.length; i++) {
            weights[i] -= factor * gradient[i];
          }
          compare(layer);
        }
      }
    }
  }

  /** As if one optimiser had the parameters of both. */
  @Test
  void optimisersWithOneLimitTakeTheScaleOfBoth() {
    try (Linear layer = new Linear(INPUTS, OUTPUTS, 1);
        Sgd first = Sgd.builder(List.of(layer.parameters().get(0))).learningRate(1).build();
        Sgd second = Sgd.builder(List.of(layer.parameters().get(1))).learningRate(1).build()) {
      load(layer);
      double norm = Math.hypot(first.gradientNorm(), second.gradientNorm());
      assertEquals(norm(), norm, 1e-5 * norm);
      double scale = Math.min(1, 0.5 / (norm + 1e-6));
      first.step(scale);
      second.step(scale);
      for (int i = 0; i < weights.length; i++) {
        weights[i] -= scale * gradient[i];
      }
      compare(layer);
      for (double wrong : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
        Expect.refused(IllegalArgumentException.class, () -> first.step(wrong), "gradientScale is " + wrong);
      }
      compare(layer);
    }
  }

  /** A list that is another one when it is read again. */
  @Test
  void aListThatChangesIsReadOnce() {
    try (Linear layer = new Linear(1, 1, 1)) {
      Parameter weight = layer.parameter("weight");
      int[] reads = new int[1];
      List<Parameter> changing =
          new AbstractList<>() {
            @Override
            public Parameter get(int index) {
              return reads[0]++ < 2 ? layer.parameters().get(index) : weight;
            }

            @Override
            public int size() {
              return 2;
            }
          };
      try (Sgd sgd = Sgd.builder(changing).build()) {
        assertEquals(2, reads[0]);
        sgd.step();
      }
    }
  }

  /** Squares of these gradients, but for one, are no floats, and the last needs a factor that is none. */
  @Test
  void explodingGradientsAreClippedLikeOthers() {
    for (float huge : new float[] {1e-19f, 1e19f, 1e20f, 1e38f}) {
      try (Linear layer = new Linear(1, 1, 1);
          Sgd sgd = Sgd.builder(layer.parameters()).learningRate(1).clipNorm(1).build();
          PackedSequence input = PackedSequence.of(new float[][][] {{{1}}}, 1);
          PackedSequence outputGradient = PackedSequence.of(new float[][][] {{{huge}}}, 1)) {
        layer.parameters().forEach(p -> p.set(new float[1]));
        layer.backward(input, outputGradient).close();
        assertEquals(Math.sqrt(2) * huge, sgd.gradientNorm(), 1e-6 * huge);
        sgd.step();
        double expected = huge < 1 ? -huge : -Math.sqrt(0.5);
        layer.parameters().forEach(p -> assertEquals(expected, p.values()[0], 1e-6 * -expected));
      }
    }
    try (Linear layer = new Linear(1, 1, 1);
        Sgd sgd = Sgd.builder(layer.parameters()).build();
        PackedSequence input = PackedSequence.of(new float[][][] {{{1}}}, 1);
        PackedSequence infinite = PackedSequence.of(new float[][][] {{{Float.POSITIVE_INFINITY}}}, 1)) {
      layer.backward(input, infinite).close();
      assertEquals(Double.POSITIVE_INFINITY, sgd.gradientNorm());
    }
  }

  /** The 1e-6 that PyTorch adds to the norm. */
  @Test
  void tinyGradientsAreClippedByTheirNormAndALittleMore() {
    try (Linear layer = new Linear(1, 1, false, 1);
        Sgd sgd = Sgd.builder(layer.parameters()).learningRate(1).clipNorm(1e-6).build();
        PackedSequence input = PackedSequence.of(new float[][][] {{{1}}}, 1);
        PackedSequence outputGradient = PackedSequence.of(new float[][][] {{{3e-6f}}}, 1)) {
      layer.parameter("weight").set(new float[1]);
      layer.backward(input, outputGradient).close();
      sgd.step();
      assertEquals(-3e-6 / 4, layer.parameter("weight").values()[0], 1e-12);
    }
  }

  @Test
  void decayTakesAShareOfEveryWeight() {
    try (Linear plain = new Linear(INPUTS, OUTPUTS, 1);
        Linear decaying = new Linear(INPUTS, OUTPUTS, 1);
        Adam adam = Adam.builder(plain.parameters()).learningRate(0.1).build();
        Adam adamW = Adam.builder(decaying.parameters()).learningRate(0.1).weightDecay(0.5).build()) {
      load(decaying);
      float[] before = decaying.parameter("weight").values();
      load(plain);
      plain.parameter("weight").set(before);
      plain.parameter("bias").set(decaying.parameter("bias").values());
      decaying.zeroGradients();
      plain.zeroGradients();
      adam.step();
      adamW.step(); // a gradient of zero moves nothing, so decay is alone
      float[] kept = decaying.parameter("weight").values();
      assertArrayEquals(before, plain.parameter("weight").values());
      for (int i = 0; i < before.length; i++) {
        assertEquals(before[i] * 0.95f, kept[i]);
      }
    }
  }

  @Test
  void aRateOfZeroChangesNoWeight() {
    try (Linear layer = new Linear(INPUTS, OUTPUTS, 1);
        Adam adam = Adam.builder(layer.parameters()).learningRate(0).build()) {
      load(layer);
      float[] before = layer.parameter("weight").values();
      adam.step();
      assertArrayEquals(before, layer.parameter("weight").values());
    }
  }

  @Test
  void adamEqualsTheFormula() {
    double rate = 0.01;
    double[] m = new double[(INPUTS + 1) * OUTPUTS];
    double[] v = new double[m.length];
    try (Linear layer = new Linear(INPUTS, OUTPUTS, 1);
        Adam adam = Adam.builder(layer.parameters()).betas(0.8, 0.95).epsilon(1e-6).build()) {
      for (int step = 1; step <= 10; step++) {
        load(layer);
        adam.learningRate(rate / step);
        adam.step();
        for (int i = 0; i < m.length; i++) {
          m[i] = 0.8 * m[i] + 0.2 * gradient[i];
          v[i] = 0.95 * v[i] + 0.05 * gradient[i] * gradient[i];
          double mean = m[i] / (1 - Math.pow(0.8, step));
          double variance = v[i] / (1 - Math.pow(0.95, step));
          weights[i] -= rate / step * mean / (Math.sqrt(variance) + 1e-6);
        }
        compare(layer);
      }
    }
  }

  @Test
  void gradientsBelowTheLimitAreNotScaled() {
    try (Linear layer = new Linear(INPUTS, OUTPUTS, 1);
        Sgd sgd = Sgd.builder(layer.parameters()).learningRate(1).clipNorm(1e6).build()) {
      load(layer);
      sgd.step();
      for (int i = 0; i < weights.length; i++) {
        weights[i] -= gradient[i];
      }
      compare(layer);
    }
  }

  /** Gives the layer a new gradient, by one backward pass of random data, and reads weights and gradient. */
  private void load(Linear layer) {
    layer.zeroGradients();
    float[][][] x = {new float[3][INPUTS]};
    float[][][] dY = {new float[3][OUTPUTS]};
    for (int t = 0; t < 3; t++) {
      for (int i = 0; i < INPUTS; i++) {
        x[0][t][i] = random.nextFloat() - 0.5f;
      }
      for (int o = 0; o < OUTPUTS; o++) {
        dY[0][t][o] = random.nextFloat() - 0.5f;
      }
    }
    try (PackedSequence input = PackedSequence.of(x, INPUTS);
        PackedSequence outputGradient = PackedSequence.of(dY, OUTPUTS)) {
      layer.backward(input, outputGradient).close();
    }
    gradient = all(layer, true);
    if (weights == null) {
      weights = all(layer, false);
    }
  }

  private double norm() {
    double sum = 0;
    for (double g : gradient) {
      sum += g * g;
    }
    return Math.sqrt(sum);
  }

  private static double[] all(Linear layer, boolean gradients) {
    double[] values = new double[(INPUTS + 1) * OUTPUTS];
    int i = 0;
    for (Parameter parameter : layer.parameters()) {
      for (float value : gradients ? parameter.gradient() : parameter.values()) {
        values[i++] = value;
      }
    }
    return values;
  }

  private void compare(Linear layer) {
    double[] actual = all(layer, false);
    for (int i = 0; i < weights.length; i++) {
      assertEquals(weights[i], actual[i], TOLERANCE, "weight " + i);
    }
  }
}
