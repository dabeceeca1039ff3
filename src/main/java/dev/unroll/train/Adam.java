package dev.unroll.train;

import dev.unroll.internal.Checks;
import dev.unroll.internal.OptimizerNative;
import dev.unroll.io.Tensor;
import dev.unroll.layer.Parameter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Adam (D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", 2015) in PyTorch's form:
 * {@code m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; w -= learningRate / (1 - beta1^t) * m / (sqrt(v /
 * (1 - beta2^t)) + epsilon)}. With weight decay, {@code w} is multiplied by {@code 1 - learningRate * weightDecay} before:
 * PyTorch's {@code AdamW} (I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", 2019).
 */
public final class Adam extends Optimizer {
  private static final String STEP = "step";
  private static final int STEPS_PER_UNIT = 1 << 24;

  private final double beta1;
  private final double beta2;
  private final double epsilon;
  private final double weightDecay;
  private long steps;

  private Adam(Builder builder) {
    super(builder.parameters(), builder.learningRate(), builder.clipNorm());
    beta1 = builder.beta1;
    beta2 = builder.beta2;
    epsilon = builder.epsilon;
    weightDecay = builder.weightDecay;
    addMoment(); // mean
    addMoment(); // variance
  }

  /**
   * Starts an optimiser.
   *
   * @param parameters what to change
   * @return its builder; learning rate 0.001, betas 0.9 and 0.999, epsilon 1e-8, no clipping
   * @throws NullPointerException if null
   */
  public static Builder builder(List<Parameter> parameters) {
    return new Builder(parameters);
  }

  @Override
  List<String> momentNames() {
    return List.of("exp_avg", "exp_avg_sq");
  }

  @Override
  public Map<String, Tensor> state() {
    Map<String, Tensor> state = super.state();
    // Two floats, for one does not count beyond 2^24.
    state.put(STEP, Tensor.of(new float[] {steps / STEPS_PER_UNIT, steps % STEPS_PER_UNIT}, 2));
    return state;
  }

  @Override
  void set(Map<String, float[]> state) {
    float[] step = state.get(STEP);
    boolean counts = isCount(step[0]) && isCount(step[1]);
    Checks.require(counts, STEP, Arrays.toString(step), "whole numbers from 0 to 2^24 - 1");
    super.set(state);
    steps = (long) step[0] * STEPS_PER_UNIT + (long) step[1];
  }

  private static boolean isCount(float value) {
    return value >= 0 && value < STEPS_PER_UNIT && value == (int) value;
  }

  @Override
  void step(double scale, double limit, long[] arrays) {
    // StrictMath gives the same bits on every JVM, where Math.pow may not.
    double meanCorrection = 1 - StrictMath.pow(beta1, steps + 1);
    double varianceCorrection = 1 - StrictMath.pow(beta2, steps + 1);
    OptimizerNative.adam(
        scale,
        limit,
        (float) (learningRate() / meanCorrection),
        (float) beta1,
        (float) (1 - beta1),
        (float) beta2,
        (float) (1 - beta2),
        (float) (1 / Math.sqrt(varianceCorrection)),
        (float) epsilon,
        (float) (1 - learningRate() * weightDecay),
        arrays);
    steps++;
  }

  /** The options of an {@link Adam}. */
  public static final class Builder extends OptimizerBuilder<Builder> {
    /** Above the root of every variance that is so small that it counts as zero. */
    private static final double LEAST_EPSILON = 1e-15;

    private double beta1 = 0.9;
    private double beta2 = 0.999;
    private double epsilon = 1e-8;
    private double weightDecay;

    private Builder(List<Parameter> parameters) {
      super(parameters, 0.001);
    }

    /**
     * Sets how long the moments last.
     *
     * @param first of the mean, at least 0 and below 1; default 0.9
     * @param second of the variance, at least 0 and below 1; default 0.999
     * @return this builder
     * @throws IllegalArgumentException if out of that range
     */
    public Builder betas(double first, double second) {
      Checks.fraction("first", first);
      beta2 = Checks.fraction("second", second);
      beta1 = first;
      return this;
    }

    /**
     * Sets what keeps the divisor from zero.
     *
     * @param value from 1e-15 to 3.4e38; default 1e-8
     * @return this builder
     * @throws IllegalArgumentException if out of that range
     */
    public Builder epsilon(double value) {
      boolean inRange = value >= LEAST_EPSILON && value <= Float.MAX_VALUE;
      Checks.require(inRange, "epsilon", value, "a number from " + LEAST_EPSILON + " to 3.4e38");
      epsilon = value;
      return this;
    }

    /**
     * Lets weights decay, those of biases too: make another optimiser for parameters that are not to.
     *
     * @param rate at least 0 and below 1; default 0
     * @return this builder
     * @throws IllegalArgumentException if out of that range
     */
    public Builder weightDecay(double rate) {
      weightDecay = Checks.fraction("weightDecay", rate);
      return this;
    }

    @Override
    public Adam build() {
      return new Adam(this);
    }

    @Override
    Builder self() {
      return this;
    }
  }
}
