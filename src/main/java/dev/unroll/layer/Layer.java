package dev.unroll.layer;

import dev.unroll.internal.Checks;
import java.util.ArrayList;
import java.util.List;

/**
 * Something with parameters. Any number of threads may run forward passes at once as long as no thread changes a
 * parameter; backward passes add to the gradients, so they are one thread's business.
 */
public interface Layer extends AutoCloseable {
  /**
   * Lists the parameters.
   *
   * @return all of them, always in the same order
   */
  List<Parameter> parameters();

  /**
   * Lists the parameters of several layers, for an optimiser.
   *
   * @param layers any
   * @return all of them, in the order of the layers
   * @throws NullPointerException if {@code layers} or one of them is null
   */
  static List<Parameter> parametersOf(Layer... layers) {
    List<Parameter> all = new ArrayList<>();
    Checks.notNull("layers", layers);
    for (int i = 0; i < layers.length; i++) {
      all.addAll(Checks.notNull("layers[" + i + "]", layers[i]).parameters());
    }
    return all;
  }

  /**
   * Finds a parameter.
   *
   * @param name PyTorch's name, for example {@code weight_hh_l0}
   * @return the parameter
   * @throws NullPointerException if {@code name} is null
   * @throws IllegalArgumentException if there is none of that name; the message lists all
   */
  default Parameter parameter(String name) {
    Checks.notNull("name", name);
    for (Parameter parameter : parameters()) {
      if (parameter.name().equals(name)) {
        return parameter;
      }
    }
    throw new IllegalArgumentException("name is " + name + ": expected one of " + parameters());
  }

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
