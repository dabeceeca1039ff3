package dev.unroll.internal;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.function.IntFunction;

/**
 * Moves narrow rows: Java copies some steps of some sequences between the caller's place and a stage, an array that
 * stays in a near cache and in which each sequence stands in one piece; native code transposes it.
 */
final class StagedRows extends RowMover {
  /** Floats of a stage. */
  private static final int MOST_FLOATS = 1 << 14;

  /** Floats between two sequences of a stage, lest their lines meet in one set of the cache. */
  private static final int GAP = 16;

  private final CellMover cells;
  private final long packed;
  private final int most;
  private final int[] positions;
  private final float[] stage;

  // The first step of the stage, and where the sequence that moves begins there.
  private int firstStep;
  private int start;

  private StagedRows(PackedOrder order, int features, long packed, int most) {
    super(order, features);
    cells = order.cells(features);
    this.packed = packed;
    this.most = Math.max(most, features);
    long all = Math.multiplyFull(order.steps(), features) * Math.min(order.sequences(), CellMover.MOST_SEQUENCES);
    positions = new int[order.sequences()];
    Arrays.setAll(positions, position -> position);
    stage = new float[(int) Math.min(this.most, all) + GAP * CellMover.MOST_SEQUENCES];
  }

  static void packRows(PackedOrder order, int features, long packed, Place place) {
    packRows(order, features, packed, MOST_FLOATS, place);
  }

  static void unpackRows(PackedOrder order, int features, long packed, Place place) {
    unpackRows(order, features, packed, MOST_FLOATS, place);
  }

  /** The same with at most so many floats in a stage, or those of one row. */
  static void packRows(PackedOrder order, int features, long packed, int most, Place place) {
    StagedRows rows = new StagedRows(order, features, packed, most);
    rows.pack((b, t, steps) -> place.move(b, t, steps, rows));
  }

  /** The same with at most so many floats in a stage, or those of one row. */
  static void unpackRows(PackedOrder order, int features, long packed, int most, Place place) {
    StagedRows rows = new StagedRows(order, features, packed, most);
    rows.unpack((b, t, steps) -> place.move(b, t, steps, rows));
  }

  /** Packs sequences that stand in one piece each. */
  static void packSequences(PackedOrder order, int features, float[][] sequences, long packed) {
    StagedRows rows = new StagedRows(order, features, packed, MOST_FLOATS);
    rows.pack(
        (b, t, steps) -> System.arraycopy(sequences[b], t * features, rows.stage, rows.start, steps * features));
  }

  /** The opposite. */
  static void unpackSequences(PackedOrder order, int features, long packed, IntFunction<float[]> sequences) {
    StagedRows rows = new StagedRows(order, features, packed, MOST_FLOATS);
    rows.unpack(
        (b, t, steps) -> System.arraycopy(rows.stage, rows.start, sequences.apply(b), t * features, steps * features));
  }

  /** Moves some steps of a sequence to or from the stage. */
  private interface Move {
    void move(int sequence, int step, int steps);
  }

  private void pack(Move toStage) {
    cells.forEachRealRectangle(
        most,
        CellMover.MOST_SEQUENCES,
        (t, steps, p, count) -> {
          moveAll(t, steps, p, count, toStage);
          cells.packStage(t, steps, p, count, positions, stage, stride(steps), packed);
        });
  }

  private void unpack(Move fromStage) {
    cells.forEachRealRectangle(
        most,
        CellMover.MOST_SEQUENCES,
        (t, steps, p, count) -> {
          cells.unpackStage(t, steps, p, count, packed, positions, stage, stride(steps));
          moveAll(t, steps, p, count, fromStage);
        });
  }

  private int stride(int steps) {
    return steps * features + GAP;
  }

  /** The later a sequence is in packed order, the fewer steps it has. */
  private void moveAll(int first, int mostSteps, int firstPosition, int count, Move move) {
    int steps = mostSteps;
    firstStep = first;
    for (int i = 0; i < count; i++) {
      while (order.rows(first + steps - 1) <= firstPosition + i) {
        steps--;
      }
      start = i * stride(mostSteps);
      move.move(order.sequence(firstPosition + i), first, steps);
    }
  }

  private int index(int step) {
    return start + (step - firstStep) * features;
  }

  @Override
  public void put(int step, float[] from, int first) {
    System.arraycopy(from, first, stage, index(step), features);
  }

  @Override
  public void get(int step, float[] to, int first) {
    System.arraycopy(stage, index(step), to, first, features);
  }

  @Override
  void put(int step, FloatBuffer from, int first) {
    from.get(first, stage, index(step), features);
  }

  @Override
  void get(int step, FloatBuffer to, int first) {
    to.put(first, stage, index(step), features);
  }
}
