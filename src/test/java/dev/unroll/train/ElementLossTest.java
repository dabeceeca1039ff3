package dev.unroll.train;

import static dev.unroll.Expect.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.Expect;
import dev.unroll.sequence.PackedSequence;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.DoubleBinaryOperator;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every loss that compares elements, beside its formula in double precision. */
class ElementLossTest {
  private static final int[] LENGTHS = {3, 0, 5, 1};
  private static final int FEATURES = 3;
  private static final int STEPS = 9;
  private static final double DELTA = 0.5;

  private final Random random = new Random(5);
  private final float[][][] outputs = array(FEATURES, () -> 4 * random.nextFloat() - 2);
  private final float[][][] targets = array(FEATURES, random::nextFloat);

  /** A loss for a divisor, its formula and derivative. */
  private record Formula(
      String name,
      Function<Divisor, ElementLoss> loss,
      DoubleBinaryOperator cost,
      DoubleBinaryOperator slope) {}

  private static final Formula[] FORMULAS = {
    new Formula("squared", SquaredError::new, (y, t) -> (y - t) * (y - t), (y, t) -> 2 * (y - t)),
    new Formula("absolute", AbsoluteError::new, (y, t) -> Math.abs(y - t), (y, t) -> Math.signum(y - t)),
    new Formula(
        "Huber",
        divisor -> new Huber(divisor, DELTA),
        (y, t) -> {
          double d = Math.abs(y - t);
          return d <= DELTA ? d * d / 2 : DELTA * (d - DELTA / 2);
        },
        (y, t) -> Math.max(-DELTA, Math.min(DELTA, y - t))),
    new Formula(
        "binary cross-entropy",
        BinaryCrossEntropy::new,
        (y, t) -> -t * Math.log(sigmoid(y)) - (1 - t) * Math.log(sigmoid(-y)),
        (y, t) -> sigmoid(y) - t)
  };

  private static double sigmoid(double y) {
    return 1 / (1 + Math.exp(-y));
  }

  private interface Value {
    float next();
  }

  private static float[][][] array(int features, Value value) {
    float[][][] array = new float[LENGTHS.length][][];
    for (int b = 0; b < array.length; b++) {
      array[b] = new float[LENGTHS[b]][features];
      for (float[] step : array[b]) {
        for (int c = 0; c < features; c++) {
          step[c] = value.next();
        }
      }
    }
    return array;
  }

  private static Stream<DynamicTest> each(Consumer<Formula> body) {
    return Arrays.stream(FORMULAS).map(formula -> DynamicTest.dynamicTest(formula.name, () -> body.accept(formula)));
  }

  @TestFactory
  Stream<DynamicTest> withoutWeights() {
    return each(formula -> {
      double sum = sum(formula, null);
      check(formula, Divisor.MEAN_OVER_STEPS, null, sum, STEPS * FEATURES);
      check(formula, Divisor.MEAN_OVER_WEIGHTS, null, sum, STEPS * FEATURES);
      check(formula, Divisor.SUM_OVER_STEPS_MEAN_OVER_SEQUENCES, null, sum, LENGTHS.length * FEATURES);
      check(formula, Divisor.SUM_OVER_STEPS, null, sum, FEATURES);
    });
  }

  @TestFactory
  Stream<DynamicTest> weightsOfSteps() {
    float[][][] weights = array(1, () -> random.nextInt(3) * 0.75f);
    return each(formula -> {
      double sum = sum(formula, weights);
      check(formula, Divisor.MEAN_OVER_STEPS, weights, sum, STEPS * FEATURES);
      check(formula, Divisor.MEAN_OVER_WEIGHTS, weights, sum, total(weights) * FEATURES);
      check(formula, Divisor.SUM_OVER_STEPS, weights, sum, FEATURES);
    });
  }

  @TestFactory
  Stream<DynamicTest> weightsOfElementsWhoseMissingTargetsAreLeftOut() {
    float[][][] weights = array(FEATURES, () -> random.nextInt(3) * 0.75f);
    for (int b = 0; b < weights.length; b++) {
      for (int t = 0; t < weights[b].length; t++) {
        for (int c = 0; c < FEATURES; c++) {
          targets[b][t][c] = weights[b][t][c] == 0 ? Float.NaN : targets[b][t][c];
        }
      }
    }
    return each(formula -> {
      double sum = sum(formula, weights);
      check(formula, Divisor.MEAN_OVER_STEPS, weights, sum, STEPS * FEATURES);
      check(formula, Divisor.MEAN_OVER_WEIGHTS, weights, sum, total(weights));
      check(formula, Divisor.SUM_OVER_STEPS_MEAN_OVER_SEQUENCES, weights, sum, LENGTHS.length * FEATURES);
    });
  }

  private static double total(float[][][] weights) {
    return Arrays.stream(weights).flatMap(Arrays::stream).mapToDouble(step -> {
      double sum = 0;
      for (float weight : step) {
        sum += weight;
      }
      return sum;
    }).sum();
  }

  private static float weight(float[][][] weights, int b, int t, int c) {
    return weights == null ? 1 : weights[b][t][weights[b][t].length == 1 ? 0 : c];
  }

  private double sum(Formula formula, float[][][] weights) {
    double sum = 0;
    for (int b = 0; b < outputs.length; b++) {
      for (int t = 0; t < outputs[b].length; t++) {
        for (int c = 0; c < FEATURES; c++) {
          double weight = weight(weights, b, t, c);
          sum += weight == 0 ? 0 : weight * formula.cost.applyAsDouble(outputs[b][t][c], targets[b][t][c]);
        }
      }
    }
    return sum;
  }

  private void check(Formula formula, Divisor divisor, float[][][] weights, double sum, double count) {
    ElementLoss loss = formula.loss.apply(divisor);
    try (PackedSequence y = PackedSequence.of(outputs, FEATURES);
        PackedSequence target = PackedSequence.of(targets, FEATURES);
        PackedSequence w = weights == null ? null : PackedSequence.of(weights, weights[0][0].length);
        LossGradient result = weights == null ? loss.gradient(y, target) : loss.gradient(y, target, w)) {
      assertEquals(sum / count, result.loss(), 1e-6 * (1 + sum / count), divisor.name()); // sums of 9 floats
      assertEquals(result.loss(), weights == null ? loss.loss(y, target) : loss.loss(y, target, w));
      float[][][] gradient = result.gradient().toArrays();
      for (int b = 0; b < outputs.length; b++) {
        for (int t = 0; t < outputs[b].length; t++) {
          for (int c = 0; c < FEATURES; c++) {
            double weight = weight(weights, b, t, c);
            double slope =
                weight == 0 ? 0 : weight * formula.slope.applyAsDouble(outputs[b][t][c], targets[b][t][c]) / count;
            assertEquals(slope, gradient[b][t][c], 1e-6); // some roundings of numbers around 1
          }
        }
      }
    }
  }

  @TestFactory
  Stream<DynamicTest> everyStepByItself() {
    return each(formula -> {
      try (PackedSequence y = PackedSequence.of(outputs, FEATURES);
          PackedSequence target = PackedSequence.of(targets, FEATURES);
          PackedSequence losses = formula.loss.apply(Divisor.SUM_OVER_STEPS).ofEachStep(y, target)) {
        assertEquals(1, losses.features());
        float[][][] each = losses.toArrays();
        for (int b = 0; b < outputs.length; b++) {
          for (int t = 0; t < outputs[b].length; t++) {
            double sum = 0;
            for (int c = 0; c < FEATURES; c++) {
              sum += formula.cost.applyAsDouble(outputs[b][t][c], targets[b][t][c]);
            }
            assertEquals(sum / FEATURES, each[b][t][0], 1e-6); // some roundings of numbers around 1
          }
        }
      }
    });
  }

  /** The order of the caller's sequences changes nothing, weights of elements included. */
  @TestFactory
  Stream<DynamicTest> theOrderOfSequencesDoesNotMatter() {
    float[][][] weights = array(FEATURES, random::nextFloat);
    return each(formula -> {
      ElementLoss loss = formula.loss.apply(Divisor.MEAN_OVER_WEIGHTS);
      try (PackedSequence y = PackedSequence.of(outputs, FEATURES);
          PackedSequence target = PackedSequence.of(targets, FEATURES);
          PackedSequence w = PackedSequence.of(weights, FEATURES);
          PackedSequence turnedY = PackedSequence.of(turned(outputs), FEATURES);
          PackedSequence turnedTarget = PackedSequence.of(turned(targets), FEATURES);
          PackedSequence turnedW = PackedSequence.of(turned(weights), FEATURES);
          LossGradient result = loss.gradient(y, target, w);
          LossGradient turned = loss.gradient(turnedY, turnedTarget, turnedW)) {
        assertEquals(result.loss(), turned.loss());
        Expect.sameBits(turned(result.gradient().toArrays()), turned.gradient().toArrays());
      }
    });
  }

  private static float[][][] turned(float[][][] sequences) {
    float[][][] turned = new float[sequences.length][][];
    Arrays.setAll(turned, b -> sequences[sequences.length - 1 - b]);
    return turned;
  }

  @Test
  void surePredictionsKeepTheirLastPlaces() {
    BinaryCrossEntropy loss = new BinaryCrossEntropy(Divisor.SUM_OVER_STEPS);
    for (float score : new float[] {20, 60, 85}) {
      try (PackedSequence y = PackedSequence.of(new float[][][] {{{score}}, {{-score}}}, 1);
          PackedSequence right = PackedSequence.of(new float[][][] {{{1}}, {{0}}}, 1);
          PackedSequence wrong = PackedSequence.of(new float[][][] {{{0}}, {{1}}}, 1)) {
        double exact = 2 * Math.log1p(Math.exp(-score));
        assertEquals(exact, loss.loss(y, right), 4e-7 * exact);
        assertEquals(2.0 * score, loss.loss(y, wrong), 1e-6 * score);
      }
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    refused(NullPointerException.class, () -> new BinaryCrossEntropy(null), "divisor is null");
    refused(IllegalArgumentException.class, () -> new Huber(Divisor.SUM_OVER_STEPS, 0), "delta is 0.0");
    refused(IllegalArgumentException.class, () -> new Huber(Divisor.SUM_OVER_STEPS, Double.NaN), "delta is NaN");
    AbsoluteError loss = new AbsoluteError(Divisor.SUM_OVER_STEPS);
    try (PackedSequence y = PackedSequence.of(outputs, FEATURES);
        PackedSequence two = PackedSequence.of(array(2, () -> 0), 2);
        PackedSequence turnedY = PackedSequence.of(turned(outputs), FEATURES)) {
      refused(IllegalArgumentException.class, () -> loss.ofEachStep(y, two), "features of targets is 2: expected 3");
      refused(IllegalArgumentException.class, () -> loss.ofEachStep(y, turnedY), "layout of targets");
      refused(IllegalArgumentException.class, () -> loss.loss(y, y, two), "features of weights is 2: expected 1, or");
      refused(IllegalArgumentException.class, () -> loss.gradient(y, y, turnedY), "layout of weights");
    }
    try (PackedSequence none = PackedSequence.of(new float[2][0][], 1);
        LossGradient result = loss.gradient(none, none, none)) {
      assertEquals(0, result.loss());
      assertTrue(result.gradient().layout().rows() == 0);
    }
  }
}
