package dev.unroll.layer;

/** Turns random matrices into ones with orthonormal columns, by Gram-Schmidt in double precision. */
final class Orthonormal {
  /** Of a column of numbers of 24 bits below 1; what is shorter is rounding. */
  private static final double SHORTEST = 1e-10;

  private Orthonormal() {}

  /**
   * Orthonormalises columns, the first kept in direction.
   *
   * @param values [rows * columns] random numbers, columns at most rows
   * @return [rows * columns]
   */
  static float[] columns(float[] values, int rows, int columns) {
    double[][] basis = new double[columns][rows];
    for (int c = 0; c < columns; c++) {
      for (int r = 0; r < rows; r++) {
        basis[c][r] = values[r * columns + c];
      }
      // A column that the others make up, which is rare, gives way to an axis that they do not.
      for (int axis = 0; !becomesOrthonormal(basis, c); axis++) {
        basis[c] = new double[rows];
        basis[c][axis] = 1;
      }
    }
    float[] result = new float[values.length];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        result[r * columns + c] = (float) basis[c][r];
      }
    }
    return result;
  }

  /** Tells whether there is a direction left beside those of the columns before. */
  private static boolean becomesOrthonormal(double[][] basis, int c) {
    // Twice is enough: what the first pass leaves of the other columns is rounding (L. Giraud et al., 2005).
    removeParts(basis, c);
    removeParts(basis, c);
    double norm = Math.sqrt(dot(basis[c], basis[c]));
    for (int r = 0; r < basis[c].length; r++) {
      basis[c][r] /= norm;
    }
    return norm > SHORTEST;
  }

  /** Subtracts from column c its parts along the columns before. */
  private static void removeParts(double[][] basis, int c) {
    for (int other = 0; other < c; other++) {
      double part = dot(basis[c], basis[other]);
      for (int r = 0; r < basis[c].length; r++) {
        basis[c][r] -= part * basis[other][r];
      }
    }
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
