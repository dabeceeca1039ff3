package dev.unroll.layer;

import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.Memory;
import dev.unroll.internal.MemoryNative;
import java.util.Arrays;

/**
 * Weights of a layer under PyTorch's name, and the gradient that backward passes add to. It lives as long as its layer.
 */
public final class Parameter {
  private final String name;
  private final int[] shape;
  private final int size;
  private final Memory values;
  private Memory gradient;
  private volatile long version;

  /**
   * Makes a parameter of zeros.
   *
   * @param name PyTorch's name
   * @param shape its dimensions
   */
  Parameter(String name, int... shape) {
    this.name = name;
    this.shape = shape;
    long count = 1;
    for (int dimension : shape) {
      count = Math.multiplyExact(count, (long) dimension);
    }
    Checks.require(count <= Integer.MAX_VALUE, "size of " + name, count, "at most 2^31 - 1 values");
    size = (int) count;
    values = Memory.zeroed(count * Float.BYTES, "the layer of parameter " + name);
  }

  /**
   * Returns PyTorch's name.
   *
   * @return for example {@code weight_ih_l0}
   */
  public String name() {
    return name;
  }

  /**
   * Returns the dimensions.
   *
   * @return a copy
   */
  public int[] shape() {
    return shape.clone();
  }

  /**
   * Counts the values.
   *
   * @return the product of the dimensions
   */
  public int size() {
    return size;
  }

  /**
   * Returns the weights.
   *
   * @return a copy, row-major
   * @throws IllegalStateException if the layer is closed
   */
  public float[] values() {
    return read(values);
  }

  /**
   * Replaces the weights.
   *
   * @param newValues row-major, as many as {@link #size()}
   * @throws NullPointerException if null
   * @throws IllegalArgumentException if there are more or fewer
   * @throws IllegalStateException if the layer is closed
   */
  public void set(float[] newValues) {
    Checks.equal("number of values for " + this, Checks.notNull("newValues", newValues).length, size);
    try (Lease lease = new Lease()) {
      MemoryNative.putFloats(lease.address(values), newValues, 0, size);
    }
    changed();
  }

  /**
   * Returns the gradient: the sum of those of all backward passes since it was last set to zero.
   *
   * @return a copy, row-major
   * @throws IllegalStateException if the layer is closed
   */
  public float[] gradient() {
    return read(gradientMemory());
  }

  /**
   * Sets the gradient to zero.
   *
   * @throws IllegalStateException if the layer is closed
   */
  public void zeroGradient() {
    try (Lease lease = new Lease()) {
      MemoryNative.clear(lease.address(gradientMemory()), (long) size * Float.BYTES);
    }
  }

  private float[] read(Memory from) {
    float[] copy = new float[size];
    try (Lease lease = new Lease()) {
      MemoryNative.getFloats(lease.address(from), copy, 0, size);
    }
    return copy;
  }

  /**
   * Returns the memory of the weights; whoever writes to it calls {@link #changed}.
   *
   * @return [size] floats
   * @hidden
   */
  public Memory memory() {
    return values;
  }

  /**
   * Returns the memory of the gradient, allocated at the first call: a model that only serves has none.
   *
   * @return [size] floats
   * @hidden
   */
  public synchronized Memory gradientMemory() {
    if (gradient == null) {
      values.checkOpen();
      gradient = Memory.zeroed((long) size * Float.BYTES, "the layer of parameter " + name);
    }
    return gradient;
  }

  /**
   * Tells that the weights have changed.
   *
   * @hidden
   */
  public void changed() {
    synchronized (this) {
      version++;
    }
  }

  /**
   * Counts the changes, so that what is computed from the weights is computed again only when they changed.
   *
   * @return the number of changes so far
   */
  long version() {
    return version;
  }

  synchronized void close() {
    values.close();
    if (gradient != null) {
      gradient.close();
    }
  }

  @Override
  public String toString() {
    return name + Arrays.toString(shape);
  }
}
