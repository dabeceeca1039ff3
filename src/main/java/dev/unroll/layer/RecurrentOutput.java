package dev.unroll.layer;

import dev.unroll.sequence.PackedSequence;

/**
 * What a forward pass of a {@link Recurrent} layer gives, and what its backward pass needs. Closing it frees all of
 * that, except a final state that was taken over.
 */
public final class RecurrentOutput implements AutoCloseable {
  private final Recurrent layer;
  private final RecurrentTape tape;
  private final PackedSequence outputs;
  private boolean finalStateTaken;

  RecurrentOutput(Recurrent layer, RecurrentTape tape) {
    this.layer = layer;
    this.tape = tape;
    outputs = tape.outputs();
  }

  /**
   * Returns the top layer's state after every step.
   *
   * @return rows of {@link Recurrent#outputSize()} features, laid out as the input; closed with this object
   */
  public PackedSequence outputs() {
    return outputs;
  }

  /**
   * Returns the state of every layer and direction after the last real step of each sequence; in the reverse direction
   * that is its first. A sequence of length 0 keeps its initial state.
   *
   * @return [layers * directions, sequences, hidden size or that of the projection] in the caller's order; closed with this object
   */
  public State finalState() {
    return tape.finalState();
  }

  /**
   * Takes the final state over, to go on from it after this object is closed: truncated back-propagation through time
   * carries a state's value and no gradient.
   *
   * @return {@link #finalState()}, which the caller now closes
   * @throws IllegalStateException if it is closed
   */
  public State takeFinalState() {
    tape.finalState().checkOpen();
    finalStateTaken = true;
    return tape.finalState();
  }

  /**
   * Copies the last output of every sequence: the top layer's state after the last real step, in the reverse direction
   * after the first, side by side (or summed, as the layer's outputs are). A sequence of length 0 gives its initial
   * state.
   *
   * @return one step of {@link Recurrent#outputSize()} features for every sequence, for layers that follow; close it to
   *     free its memory
   * @throws IllegalStateException if the final state is closed
   */
  public PackedSequence last() {
    return tape.last();
  }

  Recurrent layer() {
    return layer;
  }

  RecurrentTape tape() {
    return tape;
  }

  /** Frees the memory; calling it again does nothing. */
  @Override
  public void close() {
    tape.close();
    if (!finalStateTaken) {
      tape.finalState().close();
    }
  }

  @Override
  public String toString() {
    return "RecurrentOutput of " + layer;
  }
}
