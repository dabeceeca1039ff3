package dev.unroll.model;

import dev.unroll.internal.Checks;
import dev.unroll.layer.RecurrentSession;

/**
 * Reads one text with a {@link LanguageModel}, token by token, and keeps the state in between. One thread owns it; many
 * sessions may share a model.
 */
public final class LanguageModelSession implements AutoCloseable {
  private final LanguageModel model;
  private final RecurrentSession recurrent;
  private final float[] embedded;
  private final float[] output;
  private boolean closed;

  LanguageModelSession(LanguageModel model, RecurrentSession recurrent, int inputSize, int outputSize) {
    this.model = model;
    this.recurrent = recurrent;
    embedded = new float[inputSize];
    output = new float[outputSize];
  }

  /**
   * Reads a token.
   *
   * @param token of the model's vocabulary
   * @return [vocabulary] scores of the tokens to come next, before the softmax
   * @throws IllegalArgumentException if the token is outside the vocabulary
   * @throws IllegalStateException if this session or the model is closed
   */
  public float[] next(int token) {
    Checks.index("token", token, model.vocabulary());
    if (closed) {
      throw new IllegalStateException("LanguageModelSession is closed: expected an open one");
    }
    float[] scores = new float[model.vocabulary()];
    model.step(token, embedded, recurrent, output, scores);
    return scores;
  }

  /** Frees the memory; calling it again does nothing. */
  @Override
  public void close() {
    closed = true;
    recurrent.close();
  }
}
