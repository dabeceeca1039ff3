package dev.unroll.sequence;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.Expect;
import dev.unroll.Unroll;
import dev.unroll.Workspace;
import java.util.List;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** Packing keeps every bit, in the caller's order. */
class PackedSequenceTest {
  private static final float[][][] THREE = {{{1, 2}, {3, 4}}, {}, {{5, 6}, {7, 8}, {9, 10}}};

  @Test
  void threeSequencesComeBackAsTheyWere() {
    try (PackedSequence batch = PackedSequence.of(THREE, 2)) {
      assertEquals(2, batch.features());
      assertEquals(SequenceLayout.of(2, 0, 3), batch.layout());
      assertArrayEquals(THREE, batch.toArrays());
      assertArrayEquals(new float[][] {{1, 2, 3, 4}, {}, {5, 6, 7, 8, 9, 10}}, batch.toFlatArrays());
      assertArrayEquals(new float[] {7, 8}, batch.step(2, 1));
      assertEquals("PackedSequence(features 2, lengths [2, 0, 3])", batch.toString());
    }
  }

  @Test
  void batchesWithoutSequencesOrStepsAreLegal() {
    try (PackedSequence none = PackedSequence.of(new float[0][][], 5);
        PackedSequence empty = PackedSequence.of(new float[3][0][], 5);
        PackedSequence flat = PackedSequence.ofFlat(new float[2][0], 5)) {
      assertArrayEquals(new float[0][][], none.toArrays());
      assertArrayEquals(new float[3][0][], empty.toArrays());
      assertArrayEquals(new float[2][0], flat.toFlatArrays());
    }
  }

  @Test
  void arraysMayBeChangedAfterPacking() {
    float[][][] nested = {{{1, 2}}, {{3, 4}}};
    float[][] flat = {{1, 2}, {3, 4}};
    try (PackedSequence fromNested = PackedSequence.of(nested, 2);
        PackedSequence fromFlat = PackedSequence.ofFlat(flat, 2)) {
      nested[0][0][0] = 9;
      nested[1] = null;
      flat[0][1] = 9;
      flat[1] = null;

      assertArrayEquals(new float[][][] {{{1, 2}}, {{3, 4}}}, fromNested.toArrays());
      assertArrayEquals(new float[][][] {{{1, 2}}, {{3, 4}}}, fromFlat.toArrays());
    }
  }

  @Test
  void arraysThatComeOutAreCopies() {
    try (PackedSequence batch = PackedSequence.of(THREE, 2)) {
      batch.toArrays()[0][0][0] = 9;
      batch.toFlatArrays()[0][0] = 9;
      batch.step(0, 0)[0] = 9;

      assertArrayEquals(THREE, batch.toArrays());
    }
  }

  @Test
  void closingFreesTheMemoryOnce() {
    long before = Unroll.liveBytes();
    PackedSequence batch = PackedSequence.of(THREE, 2);
    assertTrue(Unroll.liveBytes() > 0);
    batch.close();
    batch.close();
    assertTrue(Unroll.liveBytes() <= before);
  }

  @Property(tries = 200)
  void takingApartIsTheInverseOfPackingToTheBit(
      @ForAll("lengths") int[] lengths, @ForAll @IntRange(min = 1, max = 40) int features) {
    float[][][] sequences = Lengths.values(lengths, features);
    try (PackedSequence batch = PackedSequence.of(sequences, features)) {
      assertEquals(SequenceLayout.of(lengths), batch.layout());
      Expect.sameBits(sequences, batch.toArrays());
    }
  }

  @Property(tries = 200)
  void flatSequencesEqualNestedOnes(
      @ForAll("lengths") int[] lengths, @ForAll @IntRange(min = 1, max = 40) int features) {
    float[][][] sequences = Lengths.values(lengths, features);
    float[][] flat = flatten(sequences, features);
    try (PackedSequence fromNested = PackedSequence.of(sequences, features);
        PackedSequence fromFlat = PackedSequence.ofFlat(flat, features)) {
      assertEquals(fromNested.layout(), fromFlat.layout());
      Expect.sameBits(sequences, fromFlat.toArrays());
      Expect.sameBits(flat, fromNested.toFlatArrays());
      Expect.sameBits(flat, fromFlat.toFlatArrays());
    }
  }

  @Property(tries = 200)
  void takingApartIntoArraysThatAreThereWritesAllOfThem(
      @ForAll("lengths") int[] lengths, @ForAll @IntRange(min = 1, max = 40) int features) {
    float[][][] sequences = Lengths.values(lengths, features);
    float[][] flat = flatten(sequences, features);
    float[][][] nestedTo = new float[lengths.length][][];
    float[][] flatTo = new float[lengths.length][];
    for (int b = 0; b < lengths.length; b++) {
      nestedTo[b] = new float[lengths[b]][features];
      flatTo[b] = new float[lengths[b] * features];
    }
    try (PackedSequence batch = PackedSequence.of(sequences, features)) {
      batch.toArrays(nestedTo);
      batch.toFlatArrays(flatTo);
    }
    Expect.sameBits(sequences, nestedTo);
    Expect.sameBits(flat, flatTo);
  }

  @Property(tries = 200)
  void everyStepIsThatOfTheCaller(
      @ForAll("lengths") int[] lengths, @ForAll @IntRange(min = 1, max = 40) int features) {
    float[][][] sequences = Lengths.values(lengths, features);
    try (PackedSequence batch = PackedSequence.of(sequences, features)) {
      List<int[]> rows = Lengths.packedOrder(lengths);
      for (int[] row : rows) {
        assertArrayEquals(Expect.bits(sequences[row[0]][row[1]]), Expect.bits(batch.step(row[0], row[1])));
      }
    }
  }

  @Property(tries = 200)
  void recycledMemoryShowsNothingOfTheBatchBefore(
      @ForAll("lengths") int[] first,
      @ForAll("lengths") int[] second,
      @ForAll @IntRange(min = 1, max = 8) int features) {
    long before = Unroll.liveBytes();
    try (Workspace workspace = new Workspace()) {
      for (int[] lengths : new int[][] {first, second, first}) {
        float[][][] sequences = Lengths.values(lengths, features);
        try (PackedSequence batch = PackedSequence.of(workspace, sequences, features)) {
          Expect.sameBits(sequences, batch.toArrays());
        }
      }
    }
    assertTrue(Unroll.liveBytes() <= before);
  }

  private static float[][] flatten(float[][][] sequences, int features) {
    float[][] flat = new float[sequences.length][];
    for (int i = 0; i < flat.length; i++) {
      flat[i] = new float[sequences[i].length * features];
      for (int t = 0; t < sequences[i].length; t++) {
        System.arraycopy(sequences[i][t], 0, flat[i], t * features, features);
      }
    }
    return flat;
  }

  @Provide
  Arbitrary<int[]> lengths() {
    return Lengths.arbitrary();
  }
}
