package dev.unroll.train;

import dev.unroll.internal.ArrayNative;
import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.Memory;
import dev.unroll.layer.Parameter;
import java.util.ArrayList;
import java.util.List;

/**
 * Changes parameters by their gradients. With clipping, all gradients are scaled by
 * {@code min(1, clipNorm / (norm + 1e-6))}, where norm is that of all of them together (PyTorch
 * {@code clip_grad_norm_}), in the same pass as the update.
 *
 * <p>One thread at a time may use it; nobody may run the layers meanwhile. It lives shorter than the layers.
 */
public abstract sealed class Optimizer implements AutoCloseable permits Sgd, Adam {
  private static final double NORM_EPSILON = 1e-6;

  private final List<Parameter> parameters;
  private final double clipNorm;
  private final List<Memory> memories = new ArrayList<>();
  private double learningRate;
  private boolean closed;

  /**
   * Starts with the given settings.
   *
   * @param parameters what to change
   * @param learningRate above 0
   * @param clipNorm above 0; infinity means no clipping
   */
  Optimizer(List<Parameter> parameters, double learningRate, double clipNorm) {
    Checks.notNull("parameters", parameters);
    for (int i = 0; i < parameters.size(); i++) {
      Checks.notNull("parameters[" + i + "]", parameters.get(i));
    }
    this.parameters = List.copyOf(parameters);
    this.learningRate = learningRate;
    this.clipNorm = clipNorm;
  }

  /**
   * Returns the learning rate.
   *
   * @return the rate of the next step
   */
  public double learningRate() {
    return learningRate;
  }

  /**
   * Sets the learning rate, for schedules.
   *
   * @param rate a finite number above 0
   * @throws IllegalArgumentException if it is not
   */
  public void learningRate(double rate) {
    learningRate = Checks.positive("learningRate", rate);
  }

  /**
   * Computes the Euclidean norm of all gradients together.
   *
   * @return the norm
   * @throws IllegalStateException if a layer is closed
   */
  public double gradientNorm() {
    double sum = 0;
    for (Parameter parameter : parameters) {
      try (Lease lease = new Lease()) {
        sum += ArrayNative.sumOfSquares(lease.address(parameter.gradientMemory()), parameter.size());
      }
    }
    return Math.sqrt(sum);
  }

  /**
   * Changes every parameter once.
   *
   * @throws IllegalStateException if this optimiser or a layer is closed; nothing is changed then
   */
  public void step() {
    for (Parameter parameter : parameters) {
      parameter.memory().checkOpen();
    }
    if (closed) {
      throw new IllegalStateException(getClass().getSimpleName() + " is closed: expected an open one");
    }
    double scale = clipNorm == Double.POSITIVE_INFINITY ? 1 : Math.min(1, clipNorm / (gradientNorm() + NORM_EPSILON));
    startStep();
    for (int i = 0; i < parameters.size(); i++) {
      Parameter parameter = parameters.get(i);
      try (Lease lease = new Lease()) {
        long gradient = lease.address(parameter.gradientMemory());
        update(i, parameter.size(), (float) scale, gradient, lease.address(parameter.memory()), lease);
      }
      parameter.changed();
    }
  }

  /**
   * Sets all gradients to zero.
   *
   * @throws IllegalStateException if a layer is closed
   */
  public void zeroGradients() {
    parameters.forEach(p -> p.memory().checkOpen());
    parameters.forEach(Parameter::zeroGradient);
  }

  /** Prepares what all parameters of a step share. */
  abstract void startStep();

  /** Changes one parameter, the index-th; arrays are given by address. */
  abstract void update(int index, int size, float gradientScale, long gradient, long weights, Lease lease);

  /** One array of zeros for every parameter, shaped alike, owned by this optimiser. */
  List<Memory> zerosLikeParameters() {
    List<Memory> arrays = new ArrayList<>();
    for (Parameter parameter : parameters) {
      arrays.add(Memory.zeroed((long) parameter.size() * Float.BYTES, getClass().getSimpleName()));
    }
    memories.addAll(arrays);
    return arrays;
  }

  /** Frees the memory; calling it again does nothing. */
  @Override
  public void close() {
    closed = true;
    memories.forEach(Memory::close);
  }
}
