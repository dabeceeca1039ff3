package dev.unroll;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.SequenceModel.Cell;
import dev.unroll.SequenceModel.Data;
import dev.unroll.SequenceModel.Input;
import dev.unroll.SequenceModel.PackedRows;
import dev.unroll.SequenceModel.Results;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import dev.unroll.sequence.PaddedOrder;
import dev.unroll.train.Divisor;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/**
 * What a batch gives for a sequence has the bits that the sequence gives alone, whatever the padding was and in
 * whatever order the sequences came; so do losses and the gradients of weights, which are sums over the batch.
 */
class SequencePropertyTest {
  @Property(tries = 200)
  void packThenPadIsTheIdentity(
      @ForAll("lengths") int[] lengths,
      @ForAll @IntRange(min = 1, max = 20) int features,
      @ForAll PaddedOrder order,
      @ForAll @IntRange(max = 3) int more,
      @ForAll float padding,
      @ForAll long seed) {
    int steps = IntStream.of(lengths).max().orElse(0) + more;
    Random random = new Random(seed);
    float[] padded = new float[lengths.length * steps * features];
    boolean batchFirst = order.name().startsWith("BATCH_FIRST");
    boolean left = order.name().endsWith("LEFT_PADDED");
    for (int b = 0; b < lengths.length; b++) {
      int start = left ? steps - lengths[b] : 0;
      for (int t = 0; t < steps; t++) {
        int cell = batchFirst ? b * steps + t : t * lengths.length + b;
        boolean real = t >= start && t < start + lengths[b];
        for (int j = 0; j < features; j++) {
          padded[cell * features + j] = real ? Float.intBitsToFloat(random.nextInt()) : padding;
        }
      }
    }
    try (PackedSequence packed = PackedSequence.ofPadded(padded, lengths, order, features)) {
      assertEquals(IntStream.of(lengths).sum(), packed.layout().rows());
      float[] again = new float[padded.length];
      packed.toPadded(again, order, steps, padding);
      assertArrayEquals(Expect.bits(padded), Expect.bits(again));
    }
  }

  @Property(tries = 60)
  void everySequenceGivesWhatItGivesAlone(
      @ForAll("lengths") int[] lengths, @ForAll Cell cell, @ForAll Input input, @ForAll long seed) {
    Data data = Data.random(lengths, cell, seed);
    try (SequenceModel model = new SequenceModel(cell, Divisor.SUM_OVER_STEPS, input)) {
      Results together = model.run(data);
      for (int b = 0; b < lengths.length; b++) {
        sameSequence(together, b, model.run(data.pick(b)), 0);
      }
    }
  }

  /** Sums over the batch are those of docs/numerics.md over its rows, which packed order has in their order. */
  @Property(tries = 60)
  void sumsOverTheBatchHaveTheDocumentedOrder(
      @ForAll("distinctLengths") int[] lengths, @ForAll Cell cell, @ForAll long seed) {
    Data data = Data.random(lengths, cell, seed);
    try (SequenceModel model = new SequenceModel(cell, Divisor.SUM_OVER_STEPS, Input.STEPS)) {
      Results results = model.run(data);
      PackedRows rows = results.packed();
      assertEquals(DocumentedSums.arraySum(model.stepLosses(data)), results.loss());
      sameBits(
          DocumentedSums.transposedProduct(
              rows.scoreGradients(), SequenceModel.TAGS, rows.outputs(), model.outputSize()),
          results.weightGradients().get("linear.weight"));
      sameBits(
          DocumentedSums.columnSums(rows.scoreGradients(), SequenceModel.TAGS),
          results.weightGradients().get("linear.bias"));
      sameBits(
          DocumentedSums.rowsOfTokens(
              rows.tokens(), rows.featureGradients(), SequenceModel.features(), SequenceModel.TOKENS),
          results.weightGradients().get("embedding.weight"));
    }
  }

  /** Of what is summed over the batch, only the gradients of input weights and vectors are summed in another order. */
  @Property(tries = 60)
  void vectorsOfTokensGiveWhatAVectorForEveryStepGives(
      @ForAll("lengths") int[] lengths, @ForAll Cell cell, @ForAll long seed) {
    Data data = Data.random(lengths, cell, seed);
    try (SequenceModel ofSteps = new SequenceModel(cell, Divisor.SUM_OVER_STEPS, Input.STEPS);
        SequenceModel ofTokens = new SequenceModel(cell, Divisor.SUM_OVER_STEPS, Input.TOKENS)) {
      Results expected = ofSteps.run(data);
      Results actual = ofTokens.run(data);
      actual.ofSequences().forEach((name, values) -> Expect.sameBits(expected.ofSequences().get(name), values));
      expected
          .weightGradients()
          .forEach(
              (name, values) -> {
                float[] same = actual.weightGradients().get(name);
                if (!name.contains("weight_ih_l0") && !name.startsWith("embedding")) {
                  sameBits(values, same);
                  return;
                }
                for (int i = 0; i < values.length; i++) { // sums of at most 160 terms below 10 in two orders
                  assertEquals(values[i], same[i], 1e-4 * (1 + Math.abs(values[i])), name);
                }
              });
    }
  }

  @Property(tries = 60)
  void paddingHasNoInfluence(
      @ForAll("lengths") int[] lengths,
      @ForAll Cell cell,
      @ForAll Input input,
      @ForAll Divisor divisor,
      @ForAll PaddedOrder order,
      @ForAll @IntRange(max = 5) int more,
      @ForAll int padding,
      @ForAll long seed) {
    Data data = Data.random(lengths, cell, seed);
    int steps = IntStream.of(lengths).max().orElse(0) + more;
    int[] tokens = new int[lengths.length * steps];
    int[] tags = new int[tokens.length];
    try (SequenceModel model = new SequenceModel(cell, divisor, input);
        PackedTokens allTokens = PackedTokens.of(data.tokens(), SequenceModel.TOKENS);
        PackedTokens allTags = PackedTokens.of(data.tags(), SequenceModel.TAGS)) {
      allTokens.toPadded(tokens, order, steps, padding);
      allTags.toPadded(tags, order, steps, padding);
      Results expected = model.run(data);
      try (PackedTokens paddedTokens = PackedTokens.ofPadded(tokens, lengths, order, SequenceModel.TOKENS);
          PackedTokens paddedTags = PackedTokens.ofPadded(tags, lengths, order, SequenceModel.TAGS)) {
        Results actual = model.run(data, paddedTokens, paddedTags);
        for (int b = 0; b < lengths.length; b++) {
          sameSequence(expected, b, actual, b);
        }
        sameSums(expected, actual);
      }
    }
  }

  @Property(tries = 60)
  void everySequenceGivesTheSameInAnyOrder(
      @ForAll("lengths") int[] lengths,
      @ForAll Cell cell,
      @ForAll Input input,
      @ForAll Divisor divisor,
      @ForAll long seed) {
    Data data = Data.random(lengths, cell, seed);
    int[] order = shuffled(lengths.length, seed);
    try (SequenceModel model = new SequenceModel(cell, divisor, input)) {
      Results expected = model.run(data);
      Results actual = model.run(data.pick(order));
      for (int b = 0; b < order.length; b++) {
        sameSequence(expected, order[b], actual, b);
      }
      assertEquals(expected.accuracy(), actual.accuracy());
    }
  }

  @Property(tries = 100)
  void sumsOverTheBatchAreTheSameInAnyOrder(
      @ForAll("lengths") int[] lengths,
      @ForAll Cell cell,
      @ForAll Input input,
      @ForAll Divisor divisor,
      @ForAll long seed) {
    Data data = Data.random(lengths, cell, seed);
    try (SequenceModel model = new SequenceModel(cell, divisor, input)) {
      sameSums(model.run(data), model.run(data.pick(shuffled(lengths.length, seed))));
    }
  }

  private static int[] shuffled(int size, long seed) {
    List<Integer> order = IntStream.range(0, size).boxed().collect(Collectors.toList());
    Collections.shuffle(order, new Random(seed));
    return order.stream().mapToInt(i -> i).toArray();
  }

  private static void sameSequence(Results expected, int b, Results actual, int c) {
    assertEquals(expected.ofSequences().keySet(), actual.ofSequences().keySet());
    expected.ofSequences().forEach((name, values) -> Expect.sameBits(values[b], actual.ofSequences().get(name)[c]));
  }

  private static void sameSums(Results expected, Results actual) {
    assertEquals(expected.loss(), actual.loss());
    assertEquals(expected.accuracy(), actual.accuracy());
    assertEquals(expected.weightGradients().keySet(), actual.weightGradients().keySet());
    expected.weightGradients().forEach((name, values) -> sameBits(values, actual.weightGradients().get(name)));
  }

  private static void sameBits(float[] expected, float[] actual) {
    assertArrayEquals(Expect.bits(expected), Expect.bits(actual), () -> Arrays.toString(actual));
  }

  /** Lengths of batches, 0 and ties included; in half of them ties are many. */
  @Provide
  Arbitrary<int[]> lengths() {
    return Arbitraries.oneOf(
        Arbitraries.integers().between(0, 20).array(int[].class).ofMaxSize(8),
        Arbitraries.integers().between(0, 3).array(int[].class).ofMaxSize(12));
  }

  /** Without ties the packed order of rows is that of the sums. */
  @Provide
  Arbitrary<int[]> distinctLengths() {
    return Arbitraries.integers().between(0, 40).array(int[].class).ofMaxSize(12).uniqueElements();
  }
}
