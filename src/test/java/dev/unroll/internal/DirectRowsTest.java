package dev.unroll.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.sequence.SequenceLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows that take several buffers: a few steps in each, a part of a step, or a part of a row. */
class DirectRowsTest {
  private static final int FEATURES = 3;
  private static final int[] LENGTHS = {2, 0, 7, 7, 1, 3};

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 6, 8, 13, 15, 17, 18, 30, 59, 60, 61, 1000})
  void everyFloatHasItsPlaceHoweverFewABufferHas(int most) {
    PackedOrder order = SequenceLayout.of(LENGTHS).packed();
    float[][][] sequences = new float[LENGTHS.length][][];
    float[][][] again = new float[LENGTHS.length][][];
    for (int b = 0; b < LENGTHS.length; b++) {
      sequences[b] = new float[LENGTHS[b]][FEATURES];
      again[b] = new float[LENGTHS[b]][FEATURES];
    }
    float[] expected = new float[order.rows() * FEATURES];
    Random random = new Random(1);
    for (int b = 0; b < LENGTHS.length; b++) {
      for (int t = 0; t < LENGTHS[b]; t++) {
        for (int j = 0; j < FEATURES; j++) {
          expected[order.row(b, t) * FEATURES + j] = sequences[b][t][j] = random.nextFloat();
        }
      }
    }
    try (Memory memory = Memory.zeroed((long) expected.length * Float.BYTES, "test");
        Lease lease = new Lease()) {
      long packed = lease.address(memory);
      DirectRows.forEach(
          order, FEATURES, packed, most, (b, first, steps, rows) -> rows.put(sequences[b], first, steps));
      float[] actual = new float[expected.length];
      MemoryNative.getFloats(packed, actual, 0, actual.length);
      assertArrayEquals(expected, actual);

      int[] moved = new int[1];
      DirectRows.forEach(
          order,
          FEATURES,
          packed,
          most,
          (b, first, steps, rows) -> {
            rows.get(again[b], first, steps);
            moved[0] += steps;
          });
      assertArrayEquals(sequences, again);
      int parts = most < FEATURES ? (FEATURES + most - 1) / most : 1;
      assertEquals(Arrays.stream(LENGTHS).sum() * parts, moved[0]);
    }
  }
}
