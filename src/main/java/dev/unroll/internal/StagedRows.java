package dev.unroll.internal;

/**
 * Moves rows between packed memory and places that native code does not reach, such as nested arrays, through an array
 * that stays in a near cache. Java reads and writes those places itself, with all of its checks.
 */
public final class StagedRows {
  private static final int FLOATS_AT_ONCE = 1 << 11;

  private StagedRows() {}

  /** A place to read rows from, or to write rows to. */
  public interface Place {
    /**
     * Moves one row.
     *
     * @param sequence the caller's index
     * @param step from 0
     * @param stage where to put the row, or to take it from
     * @param start its first element there
     */
    void move(int sequence, int step, float[] stage, int start);
  }

  /**
   * Fills packed rows.
   *
   * @param order how they are laid out
   * @param features values of a row
   * @param from where they come from
   * @param packed address of the first row
   */
  public static void pack(PackedOrder order, int features, Place from, long packed) {
    float[] stage = stage(order, features);
    int staged = 0;
    long to = packed;
    for (int t = 0; t < order.steps(); t++) {
      for (int p = 0; p < order.rows(t); p++) {
        if (staged + features > stage.length) {
          MemoryNative.putFloats(to, stage, 0, staged);
          to += (long) staged * Float.BYTES;
          staged = 0;
        }
        from.move(order.sequence(p), t, stage, staged);
        staged += features;
      }
    }
    MemoryNative.putFloats(to, stage, 0, staged);
  }

  /**
   * Reads packed rows.
   *
   * @param order how they are laid out
   * @param features values of a row
   * @param packed address of the first row
   * @param to where they go
   */
  public static void unpack(PackedOrder order, int features, long packed, Place to) {
    float[] stage = stage(order, features);
    int wholeRows = stage.length / features * features;
    int taken = wholeRows;
    long left = (long) order.rows() * features;
    long from = packed;
    for (int t = 0; t < order.steps(); t++) {
      for (int p = 0; p < order.rows(t); p++) {
        if (taken == wholeRows) {
          int size = (int) Math.min(wholeRows, left);
          MemoryNative.getFloats(from, stage, 0, size);
          from += (long) size * Float.BYTES;
          left -= size;
          taken = 0;
        }
        to.move(order.sequence(p), t, stage, taken);
        taken += features;
      }
    }
  }

  private static float[] stage(PackedOrder order, int features) {
    long all = (long) order.rows() * features;
    return new float[(int) Math.min(all, Math.max(features, FLOATS_AT_ONCE))];
  }
}
