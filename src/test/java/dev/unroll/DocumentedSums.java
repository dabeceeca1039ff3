package dev.unroll;

/** The sums of docs/numerics.md, written down directly. */
final class DocumentedSums {
  private static final int BLOCK_OF_PRODUCTS = 256;
  private static final int BLOCK_OF_ARRAY = 4096;
  private static final int LANES = 16;

  private DocumentedSums() {}

  /**
   * Matrix product a^T b, a [rows][outputs], b [rows][columns], of one group, at most 4096 rows: rows in blocks, fused
   * multiply-adds within a block.
   */
  static float[] transposedProduct(float[] a, int outputs, float[] b, int columns) {
    int rows = a.length / outputs;
    float[] c = new float[outputs * columns];
    for (int i = 0; i < outputs; i++) {
      for (int j = 0; j < columns; j++) {
        float sum = 0;
        for (int first = 0; first < rows; first += BLOCK_OF_PRODUCTS) {
          float block = 0;
          for (int k = first; k < Math.min(first + BLOCK_OF_PRODUCTS, rows); k++) {
            block = Math.fma(a[k * outputs + i], b[k * columns + j], block);
          }
          sum += block;
        }
        c[i * columns + j] = sum;
      }
    }
    return c;
  }

  /** Sums of columns: 16 lanes over the rows, then pairs. */
  static float[] columnSums(float[] a, int columns) {
    float[] sums = new float[columns];
    int rows = a.length / columns;
    for (int j = 0; j < columns; j++) {
      float[] column = new float[rows];
      for (int k = 0; k < rows; k++) {
        column[k] = a[k * columns + j];
      }
      sums[j] = lanes(column, 0, rows);
    }
    return sums;
  }

  /** Sum over a whole array: lanes within a block, the blocks in double. */
  static double arraySum(float[] x) {
    double sum = 0;
    for (int first = 0; first < x.length; first += BLOCK_OF_ARRAY) {
      sum += lanes(x, first, Math.min(first + BLOCK_OF_ARRAY, x.length));
    }
    return sum;
  }

  private static float lanes(float[] x, int begin, int end) {
    float[] lanes = new float[LANES];
    for (int i = begin; i < end; i++) {
      lanes[(i - begin) % LANES] += x[i];
    }
    for (int apart = LANES / 2; apart > 0; apart /= 2) {
      for (int l = 0; l < apart; l++) {
        lanes[l] += lanes[l + apart];
      }
    }
    return lanes[0];
  }

  /** Rows of a token, added in the order of the rows. */
  static float[] rowsOfTokens(int[] tokens, float[] rows, int size, int vocabulary) {
    float[] table = new float[vocabulary * size];
    for (int r = 0; r < tokens.length; r++) {
      for (int j = 0; j < size; j++) {
        table[tokens[r] * size + j] += rows[r * size + j];
      }
    }
    return table;
  }
}
