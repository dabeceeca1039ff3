package dev.unroll.layer;

import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.MemoryNative;
import dev.unroll.internal.SequenceNative;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import java.util.List;

/**
 * A vector for every token (PyTorch {@code nn.Embedding}): the product of a one-hot input with {@code weight}
 * [vocabulary, size] is a row of it. Initial weights are uniform in +-sqrt(3), which has mean 0 and variance 1 like
 * PyTorch's.
 */
public final class Embedding implements Layer {
  private final int vocabulary;
  private final int size;
  private final ParameterSet parameters;
  private final Parameter weight;

  /**
   * Makes a layer.
   *
   * @param vocabulary how many tokens there are, 1 or more
   * @param size features of a token's vector, 1 or more
   * @param seed of the initial weights
   * @throws IllegalArgumentException if a size is below 1, or their product above 2^31 - 1
   */
  public Embedding(int vocabulary, int size, long seed) {
    this.vocabulary = Checks.positive("vocabulary", vocabulary);
    this.size = Checks.positive("size", size);
    parameters = new ParameterSet(seed);
    weight = parameters.uniform("weight", Math.sqrt(3), vocabulary, size);
  }

  /**
   * Counts the tokens that there are.
   *
   * @return vocabulary
   */
  public int vocabulary() {
    return vocabulary;
  }

  /**
   * Returns the number of features of a token's vector.
   *
   * @return size
   */
  public int size() {
    return size;
  }

  @Override
  public List<Parameter> parameters() {
    return parameters.all();
  }

  /**
   * Looks up every token.
   *
   * @param tokens of this layer's vocabulary
   * @return rows of {@link #size()} features, laid out as the tokens; close it to free its memory
   * @throws NullPointerException if {@code tokens} is null
   * @throws IllegalArgumentException if its vocabulary differs
   * @throws IllegalStateException if this layer or the tokens are closed
   */
  public PackedSequence forward(PackedTokens tokens) {
    checkVocabulary(tokens);
    try (Lease lease = new Lease()) {
      long indices = tokens.address(lease);
      long table = lease.address(weight.memory());
      PackedSequence output = lease.result(PackedSequence.allocate(tokens.source(), tokens.layout(), size));
      SequenceNative.embeddingForward(tokens.layout().rows(), size, indices, table, output.address(lease));
      return lease.done(output);
    }
  }

  /**
   * Looks up a token that is in no batch, for models that go a step at a time.
   *
   * @param token from 0 to below {@link #vocabulary()}
   * @param output [{@link #size()}] receives its vector
   * @throws NullPointerException if {@code output} is null
   * @throws IllegalArgumentException if there is no such token, or the size differs
   * @throws IllegalStateException if this layer is closed
   */
  public void forward(int token, float[] output) {
    Checks.index("token", token, vocabulary);
    Checks.equal("size of output", Checks.notNull("output", output).length, size);
    try (Lease lease = new Lease()) {
      long row = lease.address(weight.memory()) + (long) token * size * Float.BYTES;
      MemoryNative.getFloats(row, output, 0, size);
    }
  }

  /**
   * Adds to the gradient of the parameter.
   *
   * @param tokens what {@link #forward} was given
   * @param outputGradient dE/dy, laid out as the tokens, rows of {@link #size()} features
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the vocabulary, the feature count or the layouts differ
   * @throws IllegalStateException if this layer or an argument is closed
   */
  public void backward(PackedTokens tokens, PackedSequence outputGradient) {
    checkVocabulary(tokens);
    Checks.equal("outputGradient features", Checks.notNull("outputGradient", outputGradient).features(), size);
    outputGradient.layout().requireSame("outputGradient", "tokens", tokens.layout());
    try (Lease lease = new Lease()) {
      long indices = tokens.address(lease);
      long dY = outputGradient.address(lease);
      long dTable = lease.address(weight.gradientMemory());
      long order = tokens.layout().packed().sumOrder(lease, tokens.source(), indices, 1, dY, size);
      SequenceNative.embeddingBackward(tokens.layout().rows(), size, indices, dY, order, dTable);
    }
  }

  private void checkVocabulary(PackedTokens tokens) {
    Checks.equal("vocabulary of tokens", Checks.notNull("tokens", tokens).vocabulary(), vocabulary);
  }

  @Override
  public void close() {
    parameters.close();
  }

  @Override
  public String toString() {
    return "Embedding(" + vocabulary + " to " + size + ")";
  }
}
