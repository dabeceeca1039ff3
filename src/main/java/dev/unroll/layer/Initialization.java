package dev.unroll.layer;

/** How the weights of a recurrent layer start. */
public enum Initialization {
  /** All uniform in +-1/sqrt(hidden size), as PyTorch does. */
  UNIFORM,

  /**
   * As Keras does: input weights and projections uniform in +-sqrt(6 / (columns + rows)) (X. Glorot and Y. Bengio,
   * "Understanding the difficulty of training deep feedforward neural networks", 2010), recurrent weights with
   * orthonormal columns (A. M. Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear
   * neural networks", 2014), biases and peepholes 0. Keras' forget bias of 1 is {@link Lstm.Builder#forgetBias}.
   */
  GLOROT_ORTHOGONAL;

  /** Adds the weight of an input or a projection. */
  Parameter inputWeight(ParameterSet parameters, String name, int hidden, int rows, int columns) {
    double bound = this == UNIFORM ? 1 / Math.sqrt(hidden) : Math.sqrt(6.0 / ((double) rows + columns));
    return parameters.uniform(name, bound, rows, columns);
  }

  /** Adds the weight of a state. */
  Parameter recurrentWeight(ParameterSet parameters, String name, int hidden, int rows, int columns) {
    if (this == UNIFORM) {
      return parameters.uniform(name, 1 / Math.sqrt(hidden), rows, columns);
    }
    Parameter weight = parameters.uniform(name, 1, rows, columns);
    weight.set(Orthonormal.columns(weight.values(), rows, columns));
    return weight;
  }

  /** Adds a bias or a peephole. */
  Parameter other(ParameterSet parameters, String name, int hidden, int... shape) {
    return parameters.uniform(name, this == UNIFORM ? 1 / Math.sqrt(hidden) : 0, shape);
  }
}
