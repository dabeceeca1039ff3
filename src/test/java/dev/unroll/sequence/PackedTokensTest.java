package dev.unroll.sequence;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.Unroll;
import dev.unroll.Workspace;
import java.util.Random;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** Tokens are packed like rows of one feature. */
class PackedTokensTest {
  @Test
  void threeSequencesComeBackAsTheyWere() {
    int[][] sequences = {{3, 0}, {}, {1, 2, 4}};
    try (PackedTokens batch = PackedTokens.of(sequences, 5)) {
      assertEquals(5, batch.vocabulary());
      assertEquals(SequenceLayout.of(2, 0, 3), batch.layout());
      assertArrayEquals(sequences, batch.toArrays());
      assertEquals("PackedTokens(vocabulary 5, lengths [2, 0, 3])", batch.toString());
    }
  }

  @Test
  void batchesWithoutSequencesOrStepsAreLegal() {
    try (PackedTokens none = PackedTokens.of(new int[0][], 1);
        PackedTokens empty = PackedTokens.of(new int[2][0], 1)) {
      assertArrayEquals(new int[0][], none.toArrays());
      assertArrayEquals(new int[2][0], empty.toArrays());
    }
  }

  @Test
  void smallestAndLargestTokenOfTheLargestVocabularyAreKept() {
    int[][] sequences = {{0, Integer.MAX_VALUE - 1}};
    try (PackedTokens batch = PackedTokens.of(sequences, Integer.MAX_VALUE)) {
      assertArrayEquals(sequences, batch.toArrays());
    }
  }

  @Test
  void arraysGoingInAndOutAreCopies() {
    int[][] sequences = {{1, 2}, {3}};
    try (PackedTokens batch = PackedTokens.of(sequences, 4)) {
      sequences[0][0] = 0;
      sequences[1] = null;
      batch.toArrays()[0][1] = 0;

      assertArrayEquals(new int[][] {{1, 2}, {3}}, batch.toArrays());
    }
  }

  @Property(tries = 200)
  void takingApartIsTheInverseOfPacking(
      @ForAll("lengths") int[] lengths, @ForAll @IntRange(min = 1, max = 1000) int vocabulary) {
    int[][] sequences = Lengths.tokens(lengths, vocabulary);
    try (PackedTokens batch = PackedTokens.of(sequences, vocabulary)) {
      assertEquals(SequenceLayout.of(lengths), batch.layout());
      assertArrayEquals(sequences, batch.toArrays());
    }
  }

  @Property(tries = 200)
  void recycledMemoryShowsNothingOfTheBatchBefore(
      @ForAll("lengths") int[] first, @ForAll("lengths") int[] second) {
    long before = Unroll.liveBytes();
    try (Workspace workspace = new Workspace()) {
      for (int[] lengths : new int[][] {first, second, first}) {
        int[][] sequences = Lengths.tokens(lengths, 100);
        try (PackedTokens batch = PackedTokens.of(workspace, sequences, 100)) {
          assertArrayEquals(sequences, batch.toArrays());
        }
      }
    }
    assertTrue(Unroll.liveBytes() <= before);
  }

  @Property(tries = 200)
  void theLargestOfEveryStepIsTheFirstOfThem(
      @ForAll("lengths") int[] lengths, @ForAll @IntRange(min = 1, max = 40) int vocabulary, @ForAll long seed) {
    Random random = new Random(seed);
    float[] few = {-1, -0.0f, 0, 2, 2, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, Float.NaN};
    float[][][] scores = new float[lengths.length][][];
    int[][] expected = new int[lengths.length][];
    for (int b = 0; b < lengths.length; b++) {
      scores[b] = new float[lengths[b]][vocabulary];
      expected[b] = new int[lengths[b]];
      for (int t = 0; t < lengths[b]; t++) {
        float[] row = scores[b][t];
        int values = 1 + random.nextInt(few.length);
        IntStream.range(0, vocabulary).forEach(j -> row[j] = few[random.nextInt(values)]);
        int nan = IntStream.range(0, vocabulary).filter(j -> Float.isNaN(row[j])).findFirst().orElse(-1);
        IntPredicate isLargest = j -> IntStream.range(0, vocabulary).noneMatch(k -> row[k] > row[j]);
        expected[b][t] = nan >= 0 ? nan : IntStream.range(0, vocabulary).filter(isLargest).findFirst().getAsInt();
      }
    }
    try (PackedSequence batch = PackedSequence.of(scores, vocabulary);
        PackedTokens largest = PackedTokens.ofLargest(batch)) {
      assertEquals(vocabulary, largest.vocabulary());
      assertEquals(batch.layout(), largest.layout());
      assertArrayEquals(expected, largest.toArrays());
    }
  }

  @Test
  void theLargestOfALargeBatchIsFoundInEveryPiece() {
    float[][] scores = new float[30][1000];
    for (int t = 0; t < scores.length; t++) {
      scores[t][31 * t] = 1;
    }
    try (PackedSequence batch = PackedSequence.ofOne(scores, 1000);
        PackedTokens largest = PackedTokens.ofLargest(batch)) {
      assertArrayEquals(IntStream.range(0, 30).map(t -> 31 * t).toArray(), largest.toArrays()[0]);
    }
  }

  @Provide
  Arbitrary<int[]> lengths() {
    return Lengths.arbitrary();
  }
}
