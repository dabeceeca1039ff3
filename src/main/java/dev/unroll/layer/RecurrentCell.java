package dev.unroll.layer;

import dev.unroll.internal.Checks;
import dev.unroll.sequence.PackedSequence;
import java.util.List;

/**
 * One step of a recurrent layer, for those who write the time loop themselves. It gives the same bits as the layer.
 *
 * @param <L> the layer
 */
public abstract sealed class RecurrentCell<L extends Recurrent> implements Layer permits RnnCell, LstmCell, GruCell {
  private final L layer;

  RecurrentCell(L layer) {
    Checks.notNull("layer", layer);
    Checks.equal("layers of " + layer, layer.layers(), 1);
    Checks.require(!layer.isBidirectional(), "layer", layer, "one direction");
    this.layer = layer;
  }

  /**
   * Returns the layer that this is one step of.
   *
   * @return the layer, which has the same weights; closed with this cell
   */
  public L layer() {
    return layer;
  }

  @Override
  public List<Parameter> parameters() {
    return layer.parameters();
  }

  /**
   * Makes one step.
   *
   * @param input [sequences][input size]
   * @param before the state before, or {@code null} for zero
   * @return the state after; close it to free its memory
   * @throws NullPointerException if {@code input} or a row of it is null
   * @throws IllegalArgumentException if a row's size or the state's shape differs
   * @throws IllegalStateException if this cell or the state is closed
   */
  public State step(float[][] input, State before) {
    try (PackedSequence batch = oneStep(input);
        RecurrentOutput output = layer.forward(batch, before)) {
      return output.takeFinalState();
    }
  }

  /**
   * Makes one step that {@link #backward} can go back through.
   *
   * @param input one step of every sequence: all lengths are 1
   * @param before the state before, or {@code null} for zero
   * @return the state after, as the final state, and what backward needs; close it to free its memory
   * @throws NullPointerException if {@code input} is null
   * @throws IllegalArgumentException if a sequence's length is not 1, or the feature count or the state's shape differs
   * @throws IllegalStateException if this cell, the input or the state is closed
   */
  public RecurrentOutput forward(PackedSequence input, State before) {
    Checks.notNull("input", input);
    int sequences = input.layout().sequences();
    Checks.require(
        input.layout().steps() <= 1 && input.layout().rows() == sequences,
        "layout of input",
        input.layout(),
        "length 1 of every sequence");
    return layer.forward(input, before);
  }

  /**
   * Goes back through one step: adds to the gradients of the parameters.
   *
   * @param output what {@link #forward} returned, once
   * @param afterGradient dE/d state after: the sum of what the loss and the next step say
   * @return dE/d input and dE/d state before; close them to free their memory
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if {@code output} is another cell's or the shape differs
   * @throws IllegalStateException if something is closed, or {@code output} was propagated before
   */
  public RecurrentGradients backward(RecurrentOutput output, State afterGradient) {
    return layer.backward(output, null, Checks.notNull("afterGradient", afterGradient));
  }

  private PackedSequence oneStep(float[][] input) {
    Checks.notNull("input", input);
    for (int b = 0; b < input.length; b++) {
      String row = "input[" + b + "]";
      Checks.equal("number of values in " + row, Checks.notNull(row, input[b]).length, layer.inputSize());
    }
    return PackedSequence.ofFlat(input, layer.inputSize());
  }

  /** Closes the layer; calling it again does nothing. */
  @Override
  public void close() {
    layer.close();
  }

  @Override
  public String toString() {
    return "one step of " + layer;
  }
}
