package dev.unroll.io;

import dev.unroll.internal.Checks;
import dev.unroll.layer.Parameter;
import java.util.Arrays;
import java.util.function.Supplier;

/** Something to write to a file: floats and their shape. */
public final class Tensor {
  private final long[] shape;
  private final int size;
  private final Supplier<float[]> values;

  private Tensor(long[] shape, int size, Supplier<float[]> values) {
    this.shape = shape;
    this.size = size;
    this.values = values;
  }

  /**
   * Gives values a shape.
   *
   * @param values row-major; not copied, so a change before the writing is written
   * @param shape dimensions of 0 or more, whose product is the number of values; none for a single value
   * @return the tensor
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the number of values differs from the product
   */
  public static Tensor of(float[] values, long... shape) {
    int size = Checks.notNull("values", values).length;
    long[] dimensions = Checks.notNull("shape", shape).clone();
    boolean negative = Arrays.stream(dimensions).anyMatch(dimension -> dimension < 0);
    Checks.require(!negative, "shape", Shape.shown(dimensions), "dimensions of 0 or more");
    Checks.require(
        fits(dimensions, size), "shape", Shape.shown(dimensions), "a product of " + size + ", the number of values");
    return new Tensor(dimensions, size, () -> values);
  }

  /**
   * Takes the weights that a parameter has when they are written.
   *
   * @param parameter the parameter
   * @return the tensor
   * @throws NullPointerException if it is null
   */
  public static Tensor of(Parameter parameter) {
    Checks.notNull("parameter", parameter);
    return new Tensor(Arrays.stream(parameter.shape()).asLongStream().toArray(), parameter.size(), parameter::values);
  }

  private static boolean fits(long[] shape, int size) {
    try {
      return Shape.size(shape) == size;
    } catch (ArithmeticException e) {
      return false;
    }
  }

  /**
   * Returns the dimensions.
   *
   * @return a copy
   */
  public long[] shape() {
    return shape.clone();
  }

  /** Counts the values. */
  int size() {
    return size;
  }

  /**
   * Returns the values, those of a parameter as they are now.
   *
   * @return a copy, row-major
   * @throws IllegalStateException if the parameter's layer is closed
   */
  public float[] values() {
    return content().clone();
  }

  /** Returns the values; the caller changes nothing. */
  float[] content() {
    return values.get();
  }
}
