package dev.unroll.internal;

import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Packed rows as Java reads and writes them itself, from and to places that native code does not reach, such as nested
 * arrays: every row is copied once, between the caller's place and its own, with all of Java's checks. It goes some
 * steps of a sequence, then those of the next, since that is how callers make them.
 */
public final class DirectRows {
  /** What a buffer can have. */
  private static final int MOST_FLOATS = Integer.MAX_VALUE / Float.BYTES;

  private final PackedOrder order;
  private final int features;
  private final long packed;
  private final int most;

  // Where move() is: the memory that Java sees of the rows, what is there, and the sequence.
  private FloatBuffer window;
  private int firstRow;
  private int column;
  private int columns;
  private int position;

  private DirectRows(PackedOrder order, int features, long packed, int most) {
    this.order = order;
    this.features = features;
    this.packed = packed;
    this.most = most;
  }

  /** Moves rows of a sequence. */
  public interface Place {
    /**
     * Moves the rows of some steps of a sequence, or those values of them that {@code rows} has at the moment.
     *
     * @param sequence the caller's index
     * @param firstStep from 0
     * @param steps how many
     * @param rows the packed rows of these steps
     */
    void move(int sequence, int firstStep, int steps, DirectRows rows);
  }

  /**
   * Calls {@code place} for all rows.
   *
   * @param order how they are laid out
   * @param features values of a row
   * @param packed address of the first row
   * @param place moves them
   */
  public static void forEach(PackedOrder order, int features, long packed, Place place) {
    forEach(order, features, packed, MOST_FLOATS, place);
  }

  /** The same with at most so many floats in a buffer. */
  static void forEach(PackedOrder order, int features, long packed, int most, Place place) {
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

  /**
   * Writes the rows of some steps.
   *
   * @param sequence [steps][features] of the sequence
   * @param firstStep the first to be written
   * @param steps how many
   */
  public void put(float[][] sequence, int firstStep, int steps) {
    for (int t = firstStep; t < firstStep + steps; t++) {
      window.put(index(t), sequence[t], column, columns);
    }
  }

  /**
   * Reads the rows of some steps.
   *
   * @param sequence [steps][features] of the sequence; a step that is null is made, just before it is written, for Java
   *     clears it, which takes it to a cache
   * @param firstStep the first to be read
   * @param steps how many
   */
  public void get(float[][] sequence, int firstStep, int steps) {
    for (int t = firstStep; t < firstStep + steps; t++) {
      if (sequence[t] == null) {
        sequence[t] = new float[features];
      }
      window.get(index(t), sequence[t], column, columns);
    }
  }

  /**
   * Writes a row.
   *
   * @param step its step
   * @param from what holds it
   * @param start where it begins there
   */
  void put(int step, FloatBuffer from, int start) {
    window.put(index(step), from, start + column, columns);
  }

  /**
   * Reads a row.
   *
   * @param step its step
   * @param to where it goes
   * @param start where it begins there
   */
  void get(int step, FloatBuffer to, int start) {
    to.put(start + column, window, index(step), columns);
  }
}
