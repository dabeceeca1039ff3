package dev.unroll.io;

import java.util.Arrays;

/** The dimensions of a tensor. */
final class Shape {
  private static final int SHOWN = 16;

  private Shape() {}

  /**
   * Counts the elements.
   *
   * @param shape dimensions of 0 or more
   * @return their product, 1 for none
   * @throws ArithmeticException if a product from the left overflows, even if a later dimension is 0: so does the
   *     format's own library
   */
  static long size(long[] shape) {
    long size = 1;
    for (long dimension : shape) {
      size = Math.multiplyExact(size, dimension);
    }
    return size;
  }

  /** Returns the dimensions for a message: a hostile file may have any number of them. */
  static String shown(long[] shape) {
    return shape.length <= SHOWN
        ? Arrays.toString(shape)
        : Arrays.toString(Arrays.copyOf(shape, SHOWN)) + " and " + (shape.length - SHOWN) + " more";
  }
}
