package dev.unroll.internal;

/** Reads the rows of a matrix, some at a time, into an array of Java. */
public final class RowReader {
  private static final int FLOATS_AT_ONCE = 1 << 13;

  private RowReader() {}

  /** Looks at a row. */
  public interface Body {
    /**
     * Looks at a row.
     *
     * @param row its number
     * @param floats holds it, until this returns
     * @param start where it begins there
     */
    void read(int row, float[] floats, int start);
  }

  /**
   * Reads all rows in their order.
   *
   * @param address of the first
   * @param rows how many
   * @param columns floats of each
   * @param body called for each
   */
  public static void forEachRow(long address, int rows, int columns, Body body) {
    int atOnce = Math.max(1, FLOATS_AT_ONCE / columns);
    float[] floats = new float[Math.min(atOnce, rows) * columns];
    for (int first = 0, count; first < rows; first += count) {
      count = Math.min(atOnce, rows - first);
      MemoryNative.getFloats(address + (long) first * columns * Float.BYTES, floats, 0, count * columns);
      for (int r = 0; r < count; r++) {
        body.read(first + r, floats, r * columns);
      }
    }
  }
}
