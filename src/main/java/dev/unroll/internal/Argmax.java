package dev.unroll.internal;

/** Where a row is largest. */
public final class Argmax {
  private Argmax() {}

  /**
   * Finds the largest value of a row; NaN counts as the largest, as in NumPy and PyTorch.
   *
   * @param floats holds the row
   * @param start where it begins
   * @param size its values, 1 or more
   * @return the index, within the row, of the first of them
   */
  public static int first(float[] floats, int start, int size) {
    int largest = 0;
    for (int j = 1; j < size; j++) {
      float best = floats[start + largest];
      largest = best == best && !(floats[start + j] <= best) ? j : largest;
    }
    return largest;
  }
}
