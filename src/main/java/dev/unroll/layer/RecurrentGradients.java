package dev.unroll.layer;

import dev.unroll.sequence.PackedSequence;

/** The gradients that a backward pass hands on: those of the layer's input and of its initial state. */
public final class RecurrentGradients implements AutoCloseable {
  private final PackedSequence input;
  private final State initialState;

  RecurrentGradients(PackedSequence input, State initialState) {
    this.input = input;
    this.initialState = initialState;
  }

  /**
   * Returns dE/d input.
   *
   * @return shaped as the input, if that is {@link dev.unroll.sequence.TokenVectors} as its vectors; closed with this object
   */
  public PackedSequence input() {
    return input;
  }

  /**
   * Returns dE/d initial state.
   *
   * @return [layers * directions, sequences, hidden size or that of the projection] in the caller's order, and cells of an {@link Lstm}; closed
   *     with this object
   */
  public State initialState() {
    return initialState;
  }

  /** Frees the memory; calling it again does nothing. */
  @Override
  public void close() {
    input.close();
    initialState.close();
  }
}
