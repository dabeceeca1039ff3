package dev.unroll.model;

import dev.unroll.Workspace;
import dev.unroll.internal.Checks;
import dev.unroll.layer.State;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;

/**
 * Reads one text with a {@link LanguageModel}, token by token, and keeps the state in between. One thread owns it; many
 * sessions may share a model.
 */
public final class LanguageModelSession implements AutoCloseable {
  private final LanguageModel model;
  private final Workspace workspace = new Workspace();
  private State state;
  private boolean closed;

  LanguageModelSession(LanguageModel model) {
    this.model = model;
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
    try (PackedSequence scores = scores(new int[] {token})) {
      return scores.step(0, 0);
    }
  }

  /** Reads several tokens; returns the scores after each. */
  PackedSequence scores(int[] tokens) {
    try (PackedTokens batch = PackedTokens.of(workspace, new int[][] {tokens}, model.vocabulary())) {
      LanguageModel.Pass pass = model.forward(batch, state);
      State before = state;
      state = pass.states().takeFinalState();
      if (before != null) {
        before.close();
      }
      pass.embedded().close();
      pass.states().close();
      return pass.scores();
    }
  }

  Workspace workspace() {
    return workspace;
  }

  /** Frees the memory; calling it again does nothing. */
  @Override
  public void close() {
    closed = true;
    if (state != null) {
      state.close();
    }
    workspace.close();
  }
}
