package dev.unroll.layer;

import java.util.List;

/**
 * Something with parameters. Any number of threads may run forward passes at once as long as no thread changes a parameter;
 * backward passes add to the gradients, so they are one thread's business.
 */
public interface Layer extends AutoCloseable {
  /**
   * Lists the parameters.
   *
   * @return all of them, always in the same order
   */
  List<Parameter> parameters();

  /** Sets the gradients of all parameters to zero. */
  default void zeroGradients() {
    parameters().forEach(Parameter::zeroGradient);
  }

  /**
   * Counts the weights.
   *
   * @return the number of values of all parameters together
   */
  default long parameterCount() {
    return parameters().stream().mapToLong(Parameter::size).sum();
  }

  /** Frees the memory of the parameters and what belongs to them; calling it again does nothing. */
  @Override
  void close();
}
