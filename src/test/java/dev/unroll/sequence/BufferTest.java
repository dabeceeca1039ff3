package dev.unroll.sequence;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.Expect;
import dev.unroll.Workspace;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Flat arrays and buffers of every kind are packed and unpacked like nested arrays. */
class BufferTest {
  @Property(tries = 300)
  void paddedBuffersEqualNestedArrays(
      @ForAll("lengths") int[] lengths,
      @ForAll @IntRange(min = 1, max = 40) int features,
      @ForAll PaddedOrder order,
      @ForAll BufferKind kind,
      @ForAll @IntRange(max = 3) int more,
      @ForAll boolean readOnly) {
    float[][][] sequences = Lengths.values(lengths, features);
    try (PackedSequence expected = PackedSequence.of(sequences, features)) {
      int steps = expected.layout().steps() + more;
      float[] padded = flat(expected.toPadded(order, steps, Float.NaN));
      FloatBuffer buffer = kind.holding(padded);
      FloatBuffer given = readOnly ? buffer.asReadOnlyBuffer() : buffer;
      int position = given.position();
      int limit = given.limit();
      try (Workspace workspace = new Workspace();
          PackedSequence fromBuffer = PackedSequence.ofPadded(workspace, given, lengths, order, features);
          PackedSequence fromArray = PackedSequence.ofPadded(padded, lengths, order, features)) {
        assertEquals(position, given.position());
        assertEquals(limit, given.limit());
        Expect.sameBits(sequences, fromBuffer.toArrays());
        Expect.sameBits(sequences, fromArray.toArrays());
      }

      float padding = Float.intBitsToFloat(0x7fc12345);
      float[] again = flat(expected.toPadded(order, steps, padding));
      float[] toArray = new float[again.length];
      expected.toPadded(toArray, order, steps, padding);
      expected.toPadded(buffer, order, steps, padding);
      assertArrayEquals(Expect.bits(again), Expect.bits(toArray));
      assertArrayEquals(Expect.bits(again), Expect.bits(BufferKind.content(buffer)));
    }
  }

  @Property(tries = 200)
  void concatenatedSequencesGoInAndOutByAnyBuffer(
      @ForAll("lengths") int[] lengths,
      @ForAll @IntRange(min = 1, max = 40) int features,
      @ForAll BufferKind kind) {
    float[][][] sequences = Lengths.values(lengths, features);
    float[] all = flat(sequences);
    FloatBuffer buffer = kind.holding(all);
    int position = buffer.position();
    int limit = buffer.limit();
    try (Workspace workspace = new Workspace();
        PackedSequence batch = PackedSequence.ofConcatenated(workspace, buffer, lengths, features);
        PackedSequence again = PackedSequence.ofConcatenated(buffer.asReadOnlyBuffer(), lengths, features)) {
      Expect.sameBits(sequences, batch.toArrays());
      Expect.sameBits(sequences, again.toArrays());
      buffer.duplicate().put(new float[all.length]);
      batch.toConcatenated(buffer);
      assertArrayEquals(Expect.bits(all), Expect.bits(BufferKind.content(buffer)));
      assertEquals(position, buffer.position());
      assertEquals(limit, buffer.limit());
    }
    int[][] tokens = Lengths.tokens(lengths, 50);
    int[] allTokens = flat(tokens);
    IntBuffer middle = IntBuffer.allocate(allTokens.length + 2).position(1).limit(allTokens.length + 1);
    try (Workspace workspace = new Workspace();
        PackedTokens batch = PackedTokens.ofConcatenated(workspace, IntBuffer.wrap(allTokens), lengths, 50)) {
      assertArrayEquals(tokens, batch.toArrays());
      batch.toConcatenated(middle);
      try (PackedTokens again = PackedTokens.ofConcatenated(middle, lengths, 50)) {
        assertArrayEquals(tokens, again.toArrays());
      }
    }
  }

  @Property(tries = 200)
  void packedRowsGoOutAndInByAnyBuffer(
      @ForAll("lengths") int[] lengths,
      @ForAll @IntRange(min = 1, max = 40) int features,
      @ForAll BufferKind kind) {
    float[][][] sequences = Lengths.values(lengths, features);
    try (PackedSequence batch = PackedSequence.of(sequences, features)) {
      FloatBuffer rows = kind.holding(new float[batch.layout().rows() * features]);
      batch.toPacked(rows);
      float[] content = BufferKind.content(rows);
      int row = 0;
      for (int[] step : Lengths.packedOrder(lengths)) {
        for (int j = 0; j < features; j++) {
          int bits = Float.floatToRawIntBits(sequences[step[0]][step[1]][j]);
          assertEquals(bits, Float.floatToRawIntBits(content[row * features + j]));
        }
        row++;
      }
      try (PackedSequence again = PackedSequence.ofPacked(rows, batch.layout(), features)) {
        Expect.sameBits(sequences, again.toArrays());
      }
    }
  }

  /**
   * Beyond what is moved at once, and enough for several threads; all but the first are written past the caches: rows
   * that are staged and rows that are not, by the number of features, and steps wider than a thread's scratch memory.
   */
  @ParameterizedTest
  @CsvSource({"100, 300, 70", "300, 400, 70", "32, 3000, 40", "3000, 150, 9", "3300, 1000, 1", "400000, 1, 8"})
  void largeBatchesOfEveryKindAreTheSame(int count, int longest, int features) {
    int[] lengths = new Random(5).ints(count, 0, longest + 1).toArray();
    lengths[count / 2] = longest;
    float[][][] sequences = Lengths.values(lengths, features);
    try (PackedSequence expected = PackedSequence.of(sequences, features)) {
      Expect.sameBits(sequences, expected.toArrays());
      for (PaddedOrder order : PaddedOrder.values()) {
        float[] padded = flat(expected.toPadded(order, longest, 5));
        for (BufferKind kind : BufferKind.values()) {
          FloatBuffer buffer = kind.holding(padded);
          try (PackedSequence packed = PackedSequence.ofPadded(buffer, lengths, order, features)) {
            Expect.sameBits(sequences, packed.toArrays());
            buffer.duplicate().put(new float[padded.length]);
            packed.toPadded(buffer, order, longest, 5);
            assertArrayEquals(Expect.bits(padded), Expect.bits(BufferKind.content(buffer)), kind + " " + order);
          }
        }
      }
      float[] all = flat(sequences);
      for (BufferKind kind : BufferKind.values()) {
        FloatBuffer buffer = kind.holding(all);
        try (PackedSequence packed = PackedSequence.ofConcatenated(buffer, lengths, features)) {
          Expect.sameBits(sequences, packed.toArrays());
          buffer.duplicate().put(new float[all.length]);
          packed.toConcatenated(buffer);
          assertArrayEquals(Expect.bits(all), Expect.bits(BufferKind.content(buffer)), kind + " concatenated");
        }
      }
    }
  }

  @Property(tries = 200)
  void paddedTokensEqualNestedOnes(
      @ForAll("lengths") int[] lengths, @ForAll PaddedOrder order, @ForAll @IntRange(max = 3) int more) {
    int[][] sequences = Lengths.tokens(lengths, 50);
    try (Workspace workspace = new Workspace();
        PackedTokens expected = PackedTokens.of(sequences, 50)) {
      int steps = expected.layout().steps() + more;
      int[][] nested = expected.toPadded(order, steps, -100);
      int[] flat = new int[lengths.length * steps];
      expected.toPadded(flat, order, steps, -100);
      assertArrayEquals(flat(nested), flat);
      IntBuffer middle = IntBuffer.allocate(flat.length + 2).position(1).limit(flat.length + 1);
      expected.toPadded(middle, order, steps, -100);
      try (PackedTokens fromNested = PackedTokens.ofPadded(workspace, nested, lengths, order, 50);
          PackedTokens fromFlat = PackedTokens.ofPadded(workspace, flat, lengths, order, 50);
          PackedTokens fromBuffer = PackedTokens.ofPadded(middle.asReadOnlyBuffer(), lengths, order, 50)) {
        for (PackedTokens tokens : new PackedTokens[] {fromNested, fromFlat, fromBuffer}) {
          assertArrayEquals(sequences, tokens.toArrays());
        }
      }
    }
  }

  @Test
  void labelsAreSequencesOfOneStep() {
    try (PackedTokens labels = PackedTokens.ofLabels(new int[] {2, 0, 1}, 3)) {
      assertEquals(SequenceLayout.of(1, 1, 1), labels.layout());
      assertArrayEquals(new int[][] {{2}, {0}, {1}}, labels.toArrays());
      assertArrayEquals(new int[] {2, 0, 1}, labels.toLabels());
    }
  }

  private static float[] flat(float[][][] nested) {
    int size = 0;
    for (float[][] matrix : nested) {
      for (float[] row : matrix) {
        size += row.length;
      }
    }
    FloatBuffer all = FloatBuffer.allocate(size);
    for (float[][] matrix : nested) {
      for (float[] row : matrix) {
        all.put(row);
      }
    }
    return all.array();
  }

  private static int[] flat(int[][] nested) {
    return Arrays.stream(nested).flatMapToInt(Arrays::stream).toArray();
  }

  @Provide
  Arbitrary<int[]> lengths() {
    return Lengths.arbitrary();
  }
}
