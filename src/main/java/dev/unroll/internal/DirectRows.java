package dev.unroll.internal;

import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Moves wide rows: each straight between the caller's place and its own, which Java sees as a part of a direct buffer.
 */
final class DirectRows extends RowMover {
  /** What a buffer can have. */
  private static final int MOST_FLOATS = Integer.MAX_VALUE / Float.BYTES;

  private final long packed;
  private final int most;

  // The memory that Java sees of the rows, the first of them, which values of each move, and the sequence.
  private FloatBuffer window;
  private int firstRow;
  private int column;
  private int columns;
  private int position;

  private DirectRows(PackedOrder order, int features, long packed, int most) {
    super(order, features);
    this.packed = packed;
    this.most = most;
  }

  static void moveRows(PackedOrder order, int features, long packed, Place place) {
    moveRows(order, features, packed, MOST_FLOATS, place);
  }

  /** The same with at most so many floats in a buffer. */
  static void moveRows(PackedOrder order, int features, long packed, int most, Place place) {
    new DirectRows(order, features, packed, most).forEach(place);
  }

  private void forEach(Place place) {
    int rowsAtOnce = Math.max(1, most / features);
    for (int t = 0, end; t < order.steps(); t = end) {
      end = order.stepsWithin(t, rowsAtOnce);
      for (int p = 0, sequences; p < order.rows(t); p += sequences) {
        sequences = Math.min(rowsAtOnce, order.rows(t) - p);
        firstRow = order.rowAt(p, t);
        int rows = sequences < order.rows(t) ? sequences : order.rowAt(0, end) - firstRow;
        for (column = 0; column < features; column += columns) {
          columns = Math.min(most, features - column);
          window = buffer(rows);
          move(place, t, end, p, sequences);
        }
      }
    }
  }

  private FloatBuffer buffer(int rows) {
    long start = (long) firstRow * features + column;
    long floats = (rows - 1L) * features + columns;
    return MemoryNative.buffer(packed + start * Float.BYTES, floats * Float.BYTES)
        .order(ByteOrder.nativeOrder())
        .asFloatBuffer();
  }

  /** In the caller's order: it is the order of their places in memory more often than that of their lengths. */
  private void move(Place place, int firstStep, int end, int firstPosition, int positions) {
    for (int b = 0; b < order.sequences(); b++) {
      position = order.position(b);
      if (position >= firstPosition && position - firstPosition < positions) {
        place.move(b, firstStep, Math.min(end, order.length(position)) - firstStep, this);
      }
    }
  }

  private int index(int step) {
    return (order.rowAt(position, step) - firstRow) * features;
  }

  @Override
  public void put(int step, float[] from, int first) {
    window.put(index(step), from, first + column, columns);
  }

  @Override
  public void get(int step, float[] to, int first) {
    window.get(index(step), to, first + column, columns);
  }

  @Override
  void put(int step, FloatBuffer from, int first) {
    window.put(index(step), from, first + column, columns);
  }

  @Override
  void get(int step, FloatBuffer to, int first) {
    to.put(first + column, window, index(step), columns);
  }
}
