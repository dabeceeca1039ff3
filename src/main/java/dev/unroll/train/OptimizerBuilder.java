package dev.unroll.train;

import dev.unroll.internal.Checks;
import dev.unroll.layer.Parameter;
import java.util.List;

/**
 * The options that all optimisers have.
 *
 * @param <B> the builder of one kind
 */
public abstract sealed class OptimizerBuilder<B> permits Sgd.Builder, Adam.Builder {
  private final List<Parameter> parameters;
  private double learningRate;
  private double clipNorm = Double.POSITIVE_INFINITY;

  OptimizerBuilder(List<Parameter> parameters, double learningRate) {
    this.parameters = Checks.notNull("parameters", parameters);
    this.learningRate = learningRate;
  }

  /**
   * Sets the learning rate.
   *
   * @param rate 0, where some schedules begin, or a number from 1.2e-38 to 3.4e38
   * @return this builder
   * @throws IllegalArgumentException if it is neither
   */
  public B learningRate(double rate) {
    learningRate = Checks.zeroOrPositive("learningRate", rate);
    return self();
  }

  /**
   * Limits the norm of all gradients together.
   *
   * @param norm a number from 1.2e-38 to 3.4e38; default no limit
   * @return this builder
   * @throws IllegalArgumentException if it is not
   */
  public B clipNorm(double norm) {
    clipNorm = Checks.positive("clipNorm", norm);
    return self();
  }

  /**
   * Makes the optimiser.
   *
   * @return a new one; close it to free its memory
   * @throws NullPointerException if a parameter is null
   * @throws IllegalArgumentException if a parameter is there twice
   */
  public abstract Optimizer build();

  abstract B self();

  List<Parameter> parameters() {
    return parameters;
  }

  double learningRate() {
    return learningRate;
  }

  double clipNorm() {
    return clipNorm;
  }
}
