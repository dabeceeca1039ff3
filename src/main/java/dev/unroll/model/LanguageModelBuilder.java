package dev.unroll.model;

import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.RandomPurpose;
import dev.unroll.layer.Embedding;
import dev.unroll.layer.Gru;
import dev.unroll.layer.Linear;
import dev.unroll.layer.Lstm;
import dev.unroll.layer.Recurrent;
import dev.unroll.layer.RecurrentBuilder;
import dev.unroll.layer.Rnn;

/** The sizes and options of a {@link LanguageModel}; {@link LanguageModel#builder} makes one. */
public final class LanguageModelBuilder {
  private final int vocabulary;
  private int embeddingSize = 64;
  private int hiddenSize = 256;
  private int layers = 2;
  private LanguageModel.Cell cell = LanguageModel.Cell.RNN;
  private double dropout;
  private long seed;

  LanguageModelBuilder(int vocabulary) {
    this.vocabulary = Checks.positive("vocabulary", vocabulary);
  }

  /**
   * Sets the number of features of a token.
   *
   * @param size 1 or more; default 64
   * @return this builder
   * @throws IllegalArgumentException if below 1
   */
  public LanguageModelBuilder embeddingSize(int size) {
    embeddingSize = Checks.positive("embeddingSize", size);
    return this;
  }

  /**
   * Sets the number of hidden units of a layer.
   *
   * @param size 1 or more; default 256
   * @return this builder
   * @throws IllegalArgumentException if below 1
   */
  public LanguageModelBuilder hiddenSize(int size) {
    hiddenSize = Checks.positive("hiddenSize", size);
    return this;
  }

  /**
   * Stacks recurrent layers.
   *
   * @param count 1 or more; default 2
   * @return this builder
   * @throws IllegalArgumentException if below 1
   */
  public LanguageModelBuilder layers(int count) {
    layers = Checks.positive("layers", count);
    return this;
  }

  /**
   * Chooses the kind of the recurrent layers.
   *
   * @param kind default {@link LanguageModel.Cell#RNN}
   * @return this builder
   * @throws NullPointerException if null
   */
  public LanguageModelBuilder cell(LanguageModel.Cell kind) {
    cell = Checks.notNull("cell", kind);
    return this;
  }

  /**
   * Drops elements between the recurrent layers while training.
   *
   * @param probability at least 0 and below 1; default 0
   * @return this builder
   * @throws IllegalArgumentException if out of that range
   */
  public LanguageModelBuilder dropout(double probability) {
    dropout = Checks.fraction("dropout", probability);
    return this;
  }

  /**
   * Chooses the initial weights, and what dropout drops.
   *
   * @param value any; default 0
   * @return this builder
   */
  public LanguageModelBuilder seed(long value) {
    seed = value;
    return this;
  }

  private Recurrent recurrent() {
    return switch (cell) {
      case RNN -> with(Rnn.builder(embeddingSize, hiddenSize));
      case LSTM -> with(Lstm.builder(embeddingSize, hiddenSize));
      case GRU -> with(Gru.builder(embeddingSize, hiddenSize));
    };
  }

  private <B extends RecurrentBuilder<B, L>, L extends Recurrent> L with(B builder) {
    return builder.layers(layers).dropout(dropout).seed(RandomPurpose.seedOf(seed, 1)).build();
  }

  /**
   * Makes the model.
   *
   * @return a new model; close it to free its memory
   * @throws IllegalArgumentException if a weight would have more than 2^31 - 1 values
   */
  public LanguageModel build() {
    try (Lease lease = new Lease()) { // closes what there is if a part fails
      Embedding embedding = lease.result(new Embedding(vocabulary, embeddingSize, RandomPurpose.seedOf(seed, 0)));
      Recurrent recurrent = lease.result(recurrent());
      Linear linear = lease.result(new Linear(hiddenSize, vocabulary, RandomPurpose.seedOf(seed, 2)));
      return lease.done(new LanguageModel(embedding, recurrent, linear, dropout, seed));
    }
  }
}
