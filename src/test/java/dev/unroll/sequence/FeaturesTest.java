package dev.unroll.sequence;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.Expect;
import dev.unroll.Unroll;
import dev.unroll.layer.Pooling;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Features of batches side by side, apart, added and multiplied. */
class FeaturesTest {
  private static final int[] LENGTHS = {2, 0, 700, 3};

  private final Random random = new Random(79);
  private final PackedSequence five = batch(5);
  private final PackedSequence seventeen = batch(17);
  private final PackedSequence otherFive = batch(5);

  @AfterEach
  void closeAll() {
    five.close();
    seventeen.close();
    otherFive.close();
  }

  private PackedSequence batch(int features) {
    return filled(features, i -> random.nextFloat() - 0.5);
  }

  private static PackedSequence filled(int features, IntToDoubleFunction values) {
    float[][] sequences = new float[LENGTHS.length][];
    for (int b = 0; b < sequences.length; b++) {
      sequences[b] = new float[LENGTHS[b] * features];
      for (int i = 0; i < sequences[b].length; i++) {
        sequences[b][i] = (float) values.applyAsDouble(i);
      }
    }
    return PackedSequence.ofFlat(sequences, features);
  }

  @Test
  void featuresStandSideBySideAndComeApartAgain() {
    try (PackedSequence all = Features.concatenate(five, seventeen, five);
        PackedSequence first = Features.slice(all, 0, 5);
        PackedSequence second = Features.slice(all, 5, 22);
        PackedSequence third = Features.slice(all, 22, 27);
        PackedSequence across = Features.slice(all, 4, 6)) {
      assertEquals(27, all.features());
      assertEquals(five.layout(), all.layout());
      Expect.sameBits(five.toFlatArrays(), first.toFlatArrays());
      Expect.sameBits(seventeen.toFlatArrays(), second.toFlatArrays());
      Expect.sameBits(five.toFlatArrays(), third.toFlatArrays());
      Expect.sameBits(
          new float[][] {{five.step(2, 699)[4], seventeen.step(2, 699)[0]}}, new float[][] {across.step(2, 699)});
    }
  }

  @Test
  void aCopyKeepsEveryBit() {
    float[] odd = {Float.NaN, Float.MIN_VALUE, -0.0f, Float.NEGATIVE_INFINITY};
    try (PackedSequence batch = filled(4, i -> odd[i % 4]);
        PackedSequence one = Features.concatenate(batch);
        PackedSequence denormal = Features.slice(batch, 1, 2)) {
      Expect.sameBits(batch.toFlatArrays(), one.toFlatArrays());
      assertEquals(Float.MIN_VALUE, denormal.step(2, 5)[0]);
    }
  }

  @Test
  void sumsAndMultiplesAreRoundedOnce() {
    float factor = 0.3f;
    try (PackedSequence sum = Features.sum(five, otherFive);
        PackedSequence more = Features.sum(five, otherFive, factor);
        PackedSequence difference = Features.sum(five, otherFive, -1);
        PackedSequence multiple = Features.scale(five, factor)) {
      float[][] a = five.toFlatArrays();
      float[][] b = otherFive.toFlatArrays();
      float[][] sums = sum.toFlatArrays();
      float[][] weighted = more.toFlatArrays();
      float[][] differences = difference.toFlatArrays();
      float[][] multiples = multiple.toFlatArrays();
      for (int i = 0; i < a.length; i++) {
        for (int j = 0; j < a[i].length; j++) {
          assertEquals(a[i][j] + b[i][j], sums[i][j]);
          assertEquals(Math.fma(factor, b[i][j], a[i][j]), weighted[i][j]);
          assertEquals(a[i][j] - b[i][j], differences[i][j]);
          assertEquals(factor * a[i][j], multiples[i][j]);
        }
      }
    }
  }

  @Test
  void productsAreThoseOfTheElements() {
    try (PackedSequence product = Features.product(five, otherFive)) {
      float[][] a = five.toFlatArrays();
      float[][] b = otherFive.toFlatArrays();
      float[][] products = product.toFlatArrays();
      for (int i = 0; i < a.length; i++) {
        for (int j = 0; j < a[i].length; j++) {
          assertEquals(a[i][j] * b[i][j], products[i][j]);
        }
      }
    }
  }

  /** Its gradient is the sum of the steps', by definition. */
  @Test
  void oneStepIsRepeatedForEveryStepOfItsSequence() {
    float[][] steps = {{1, 2}, {3, Float.NaN}, {-0.0f, 5}, {6, 7}};
    try (PackedSequence single = PackedSequence.ofFlat(steps, 2);
        PackedSequence repeated = Features.repeat(single, five.layout());
        PackedSequence summed = Pooling.SUM.forward(repeated)) {
      float[][][] actual = repeated.toArrays();
      for (int b = 0; b < LENGTHS.length; b++) {
        assertEquals(LENGTHS[b], actual[b].length);
        for (float[] step : actual[b]) {
          Expect.sameBits(new float[][] {steps[b]}, new float[][] {step});
        }
      }
      assertEquals(700 * 5, summed.step(2, 0)[1]);
    }
    Class<IllegalArgumentException> argument = IllegalArgumentException.class;
    try (PackedSequence single = PackedSequence.ofFlat(new float[][] {{1}, {2}}, 1)) {
      Expect.refused(argument, () -> Features.repeat(five, five.layout()), "layout of batch", "one step for every sequence");
      Expect.refused(argument, () -> Features.repeat(single, five.layout()), "2 sequences, not 4");
      Expect.refused(NullPointerException.class, () -> Features.repeat(single, null), "layout is null");
      Expect.refused(NullPointerException.class, () -> Features.repeat(null, five.layout()), "batch is null");
      Expect.refused(argument, () -> Features.product(five, seventeen), "features of b is 17: expected 5");
      Expect.refused(argument, () -> Features.product(single, five), "features of b is 5: expected 1");
    }
  }

  @Test
  void nanInfinityAndTheSignOfZeroGoThrough() {
    float[] odd = {Float.NaN, Float.POSITIVE_INFINITY, -0.0f, 0};
    try (PackedSequence batch = filled(4, i -> odd[i % 4]);
        PackedSequence doubled = Features.scale(batch, 2);
        PackedSequence nothing = Features.scale(batch, 0)) {
      Expect.sameBits(new float[][] {odd}, new float[][] {canonical(doubled.step(0, 0))});
      Expect.sameBits(
          new float[][] {{Float.NaN, Float.NaN, -0.0f, 0}},
          new float[][] {canonical(nothing.step(0, 0))});
    }
  }

  /** The payload and sign of a NaN are not part of the promise. */
  private static float[] canonical(float[] values) {
    float[] result = values.clone();
    for (int i = 0; i < result.length; i++) {
      result[i] = Float.isNaN(values[i]) ? Float.NaN : values[i];
    }
    return result;
  }

  @Test
  void bitsDoNotDependOnThreads() {
    int before = Unroll.threads();
    try (PackedSequence a = batch(2000);
        PackedSequence b = batch(2000)) {
      Unroll.threads(1);
      float[][] expected = several(a, b);
      Unroll.threads(3);
      Expect.sameBits(expected, several(a, b));
    } finally {
      Unroll.threads(before);
    }
  }

  private static float[][] several(PackedSequence a, PackedSequence b) {
    try (PackedSequence sum = Features.sum(a, b, 0.7f);
        PackedSequence all = Features.concatenate(sum, a);
        PackedSequence some = Features.slice(all, 999, 2999)) {
      return some.toFlatArrays();
    }
  }

  @TestFactory
  Stream<DynamicTest> refuses() {
    PackedSequence reordered = PackedSequence.ofFlat(new float[][] {{1, 2, 3, 4, 5}, {}, {}, {}}, 5);
    PackedSequence closed = batch(5);
    closed.close();
    Class<? extends Throwable> none = NullPointerException.class;
    Class<? extends Throwable> argument = IllegalArgumentException.class;
    Class<? extends Throwable> state = IllegalStateException.class;
    return Stream.of(
            Expect.refusal("null", none, () -> Features.concatenate((PackedSequence[]) null), "batches is null"),
            Expect.refusal("null part", none, () -> Features.concatenate(five, null), "batches[1] is null"),
            Expect.refusal("no parts", argument, Features::concatenate, "number of batches is 0"),
            Expect.refusal("lengths", argument, () -> Features.concatenate(five, reordered), "batches[1]", "sequence 0"),
            Expect.refusal("closed part", state, () -> Features.concatenate(five, closed), "closed"),
            Expect.refusal("no batch", none, () -> Features.slice(null, 0, 1), "batch is null"),
            Expect.refusal("negative", argument, () -> Features.slice(five, -1, 1), "from is -1", "below 5"),
            Expect.refusal("beyond", argument, () -> Features.slice(five, 5, 6), "from is 5", "below 5"),
            Expect.refusal("nothing", argument, () -> Features.slice(five, 2, 2), "to is 2", "above 2"),
            Expect.refusal("too far", argument, () -> Features.slice(five, 2, 6), "to is 6", "at most 5"),
            Expect.refusal("closed slice", state, () -> Features.slice(closed, 0, 1), "closed"),
            Expect.refusal("no a", none, () -> Features.sum(null, five), "a is null"),
            Expect.refusal("no b", none, () -> Features.sum(five, null), "b is null"),
            Expect.refusal("features", argument, () -> Features.sum(five, seventeen), "features of b is 17", "5"),
            Expect.refusal("layout", argument, () -> Features.sum(five, reordered), "layout of b", "sequence 0"),
            Expect.refusal("closed a", state, () -> Features.sum(closed, five), "closed"),
            Expect.refusal("closed b", state, () -> Features.sum(five, closed), "closed"),
            Expect.refusal("no multiple", none, () -> Features.scale(null, 1), "batch is null"),
            Expect.refusal("closed multiple", state, () -> Features.scale(closed, 1), "closed"))
        .onClose(reordered::close);
  }
}
