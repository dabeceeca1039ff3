package dev.unroll.layer;

import dev.unroll.internal.Checks;

/**
 * The options that all recurrent layers have.
 *
 * @param <B> the builder of one kind of layer
 * @param <L> the layer
 */
public abstract sealed class RecurrentBuilder<B, L extends Recurrent> permits Rnn.Builder, Lstm.Builder, Gru.Builder {
  private final int inputSize;
  private final int hiddenSize;
  private int layers = 1;
  private boolean bidirectional;
  private boolean summed;
  private boolean bias = true;
  private double dropout;
  private Initialization initialization = Initialization.UNIFORM;
  private long seed;

  RecurrentBuilder(int inputSize, int hiddenSize) {
    this.inputSize = Checks.positive("inputSize", inputSize);
    this.hiddenSize = Checks.positive("hiddenSize", hiddenSize);
  }

  /**
   * Stacks layers: each takes the outputs of the one below as its input.
   *
   * @param count 1 or more; default 1
   * @return this builder
   * @throws IllegalArgumentException if below 1
   */
  public B layers(int count) {
    layers = Checks.positive("layers", count);
    return self();
  }

  /**
   * Runs every layer in both directions of time; an output holds the forward and the reverse state, in this order.
   *
   * @param both whether to; default false
   * @return this builder
   */
  public B bidirectional(boolean both) {
    bidirectional = both;
    return self();
  }

  /**
   * Adds the two directions of a bidirectional layer instead of putting them side by side (Keras
   * {@code merge_mode="sum"}); an output, which is the next layer's input, then has half the features. Of one direction
   * alone there is nothing to add.
   *
   * @param sum whether to; default false
   * @return this builder
   */
  public B sumDirections(boolean sum) {
    summed = sum;
    return self();
  }

  /**
   * Drops elements of the outputs of every layer but the last, so of one layer alone nothing, and in training passes
   * ({@link Recurrent#forwardTraining}) only; the others grow by 1 / (1 - probability).
   *
   * @param probability at least 0 and below 1; default 0
   * @return this builder
   * @throws IllegalArgumentException if out of that range
   */
  public B dropout(double probability) {
    dropout = Checks.fraction("dropout", probability);
    return self();
  }

  /**
   * Adds bias terms to the gates.
   *
   * @param present whether to; default true
   * @return this builder
   */
  public B bias(boolean present) {
    bias = present;
    return self();
  }

  /**
   * Chooses how the weights start.
   *
   * @param kind default {@link Initialization#UNIFORM}, PyTorch's
   * @return this builder
   * @throws NullPointerException if null
   */
  public B initialization(Initialization kind) {
    initialization = Checks.notNull("initialization", kind);
    return self();
  }

  /**
   * Chooses the random numbers of the initial weights and, beside the key of a pass, the elements that are dropped.
   *
   * @param value any; default 0. Layers of the same sizes and seed start alike, and drop alike of the same key
   * @return this builder
   */
  public B seed(long value) {
    seed = value;
    return self();
  }

  /**
   * Makes the layer.
   *
   * @return a new layer; close it to free its memory
   * @throws IllegalArgumentException if a weight would have more than 2^31 - 1 values
   */
  public abstract L build();

  abstract B self();

  int hiddenSize() {
    return hiddenSize;
  }

  boolean hasBias() {
    return bias;
  }

  /** The options of a kind that has no more. */
  RecurrentOptions options(CellKind kind) {
    return options(kind, 0, false, false);
  }

  RecurrentOptions options(CellKind kind, int projectionSize, boolean peepholes, boolean coupled) {
    RecurrentOptions options =
        new RecurrentOptions(
            kind,
            inputSize,
            hiddenSize,
            projectionSize,
            layers,
            bidirectional,
            summed && bidirectional,
            bias,
            dropout,
            peepholes,
            coupled,
            initialization,
            seed);
    options.checkSizes();
    return options;
  }
}
