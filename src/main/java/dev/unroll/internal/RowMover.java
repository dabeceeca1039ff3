package dev.unroll.internal;

import java.nio.FloatBuffer;

/**
 * Moves packed rows from and to places that native code does not reach, such as nested arrays and most buffers, with
 * all of Java's checks: it asks a {@link Place} for some steps of some sequences at a time, which passes each row on.
 */
public abstract class RowMover {
  /** From so many values on, a row is moved in less time straight to its place than with others by way of a stage. */
  private static final int WIDE_ROW = 48;

  final PackedOrder order;
  final int features;

  RowMover(PackedOrder order, int features) {
    this.order = order;
    this.features = features;
  }

  /** Where rows come from, or go. */
  public interface Place {
    /**
     * Passes on the rows of some steps of a sequence, by {@code put} if they are packed, else by {@code get}. It is
     * asked several times for rows that cannot be moved at once.
     *
     * @param sequence the caller's index
     * @param firstStep from 0
     * @param steps how many, 1 or more
     * @param rows takes or gives them
     */
    void move(int sequence, int firstStep, int steps, RowMover rows);
  }

  /**
   * Packs rows.
   *
   * @param order how they are laid out
   * @param features values of a row
   * @param packed address of the first row
   * @param place has them
   */
  public static void pack(PackedOrder order, int features, long packed, Place place) {
    if (features >= WIDE_ROW) {
      DirectRows.moveRows(order, features, packed, place);
    } else {
      StagedRows.packRows(order, features, packed, place);
    }
  }

  /**
   * Unpacks rows.
   *
   * @param order how they are laid out
   * @param features values of a row
   * @param packed address of the first row
   * @param place gets them
   */
  public static void unpack(PackedOrder order, int features, long packed, Place place) {
    if (features >= WIDE_ROW) {
      DirectRows.moveRows(order, features, packed, place);
    } else {
      StagedRows.unpackRows(order, features, packed, place);
    }
  }

  /**
   * Packs a row.
   *
   * @param step its step
   * @param from what holds it
   * @param first where it begins there
   */
  public abstract void put(int step, float[] from, int first);

  /**
   * Unpacks a row.
   *
   * @param step its step
   * @param to where it goes
   * @param first where it begins there
   */
  public abstract void get(int step, float[] to, int first);

  /**
   * Packs a row.
   *
   * @param step its step
   * @param from what holds it
   * @param first where it begins there
   */
  abstract void put(int step, FloatBuffer from, int first);

  /**
   * Unpacks a row.
   *
   * @param step its step
   * @param to where it goes
   * @param first where it begins there
   */
  abstract void get(int step, FloatBuffer to, int first);
}
