package dev.unroll.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.internal.RowMover.Place;
import dev.unroll.sequence.SequenceLayout;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows that take several buffers or stages: a few steps in each, a part of a step, or a part of a row. */
class RowMoverTest {
  private static final int FEATURES = 3;
  private static final int[] LENGTHS = {2, 0, 7, 7, 1, 3};

  private final PackedOrder order = SequenceLayout.of(LENGTHS).packed();
  private final float[][] sequences = new float[LENGTHS.length][];
  private final float[] rows = new float[order.rows() * FEATURES];
  private int moved;

  RowMoverTest() {
    Random random = new Random(1);
    for (int b = 0; b < LENGTHS.length; b++) {
      sequences[b] = new float[LENGTHS[b] * FEATURES];
      for (int i = 0; i < sequences[b].length; i++) {
        sequences[b][i] = rows[order.row(b, i / FEATURES) * FEATURES + i % FEATURES] = random.nextFloat();
      }
    }
  }

  /** Moves rows, of which at most so many floats at once. */
  private interface Mover {
    void move(long packed, int most, Place place);
  }

  private void movesAll(int most, int timesEach, Mover pack, Mover unpack) {
    float[][] again = new float[LENGTHS.length][];
    Arrays.setAll(again, b -> new float[sequences[b].length]);
    Place fromBuffers =
        (b, first, steps, mover) -> {
          for (int t = first; t < first + steps; t++) {
            mover.put(t, FloatBuffer.wrap(sequences[b]), t * FEATURES);
          }
        };
    Place toBuffers =
        (b, first, steps, mover) -> {
          for (int t = first; t < first + steps; t++) {
            mover.get(t, FloatBuffer.wrap(again[b]), t * FEATURES);
          }
        };
    Place fromArrays =
        (b, first, steps, mover) -> {
          for (int t = first; t < first + steps; t++) {
            mover.put(t, sequences[b], t * FEATURES);
          }
          moved += steps;
        };
    Place toArrays =
        (b, first, steps, mover) -> {
          for (int t = first; t < first + steps; t++) {
            mover.get(t, again[b], t * FEATURES);
          }
          moved += steps;
        };
    try (Memory memory = Memory.zeroed((long) rows.length * Float.BYTES, "test");
        Lease lease = new Lease()) {
      long packed = lease.address(memory);
      pack.move(packed, most, fromArrays);
      assertArrayEquals(rows, read(packed));
      unpack.move(packed, most, toArrays);
      assertArrayEquals(sequences, again);
      assertEquals(2 * order.rows() * timesEach, moved);

      MemoryNative.clear(packed, (long) rows.length * Float.BYTES);
      Arrays.setAll(again, b -> new float[sequences[b].length]);
      pack.move(packed, most, fromBuffers);
      assertArrayEquals(rows, read(packed));
      unpack.move(packed, most, toBuffers);
      assertArrayEquals(sequences, again);
    }
  }

  private float[] read(long packed) {
    float[] values = new float[rows.length];
    MemoryNative.getFloats(packed, values, 0, values.length);
    return values;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 6, 8, 13, 15, 17, 18, 30, 59, 60, 61, 1000})
  void everyFloatHasItsPlaceHoweverFewABufferHas(int most) {
    Mover direct = (packed, floats, place) -> DirectRows.moveRows(order, FEATURES, packed, floats, place);
    movesAll(most, most < FEATURES ? (FEATURES + most - 1) / most : 1, direct, direct);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 5, 6, 9, 12, 18, 24, 60, 384, 400, 768, 1152, 5000})
  void everyFloatHasItsPlaceHoweverFewAStageHas(int most) {
    movesAll(
        most,
        1,
        (packed, floats, place) -> StagedRows.packRows(order, FEATURES, packed, floats, place),
        (packed, floats, place) -> StagedRows.unpackRows(order, FEATURES, packed, floats, place));
  }
}
