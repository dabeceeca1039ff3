package dev.unroll.train;

import dev.unroll.internal.Checks;
import dev.unroll.internal.OptimizerNative;
import dev.unroll.layer.Parameter;
import java.util.List;

/**
 * Stochastic gradient descent, with momentum if wanted: {@code u = momentum * u + g; w -= learningRate * u} (PyTorch
 * {@code optim.SGD}).
 */
public final class Sgd extends Optimizer {
  private final double momentum;

  private Sgd(Builder builder) {
    super(builder.parameters(), builder.learningRate(), builder.clipNorm());
    momentum = builder.momentum;
    if (momentum != 0) {
      addMoment();
    }
  }

  /**
   * Starts an optimiser.
   *
   * @param parameters what to change
   * @return its builder; learning rate 0.01, no momentum, no clipping
   * @throws NullPointerException if null
   */
  public static Builder builder(List<Parameter> parameters) {
    return new Builder(parameters);
  }

  @Override
  List<String> momentNames() {
    return List.of("momentum_buffer");
  }

  @Override
  void step(double scale, double limit, long[] arrays) {
    OptimizerNative.sgd(scale, limit, (float) learningRate(), (float) momentum, arrays);
  }

  /** The options of an {@link Sgd}. */
  public static final class Builder extends OptimizerBuilder<Builder> {
    private double momentum;

    private Builder(List<Parameter> parameters) {
      super(parameters, 0.01);
    }

    /**
     * Lets past updates go on.
     *
     * @param factor at least 0 and below 1; default 0
     * @return this builder
     * @throws IllegalArgumentException if out of that range
     */
    public Builder momentum(double factor) {
      momentum = Checks.fraction("momentum", factor);
      return this;
    }

    @Override
    public Sgd build() {
      return new Sgd(this);
    }

    @Override
    Builder self() {
      return this;
    }
  }
}
