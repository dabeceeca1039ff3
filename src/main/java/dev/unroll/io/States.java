package dev.unroll.io;

import dev.unroll.internal.Checks;
import dev.unroll.layer.State;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * States of recurrent layers in files, so that streams go on after a restart: the tensor {@code hidden} [layers *
 * directions, sequences, hidden size] and, of an LSTM, {@code cells}.
 *
 * <pre>{@code
 * try (State state = session.state()) {
 *   SafeTensors.write(path, States.tensors(state), Map.of());
 * }
 * ...
 * try (SafeTensors saved = SafeTensors.open(path);
 *     State state = States.read(saved, "")) {
 *   session.restore(state);
 * }
 * }</pre>
 */
public final class States {
  private static final String HIDDEN = "hidden";
  private static final String CELLS = "cells";

  private States() {}

  /**
   * Returns the values of a state by name, to be written, beside others under names of their own.
   *
   * @param state any of one or more sequences
   * @return copies of its values
   * @throws NullPointerException if {@code state} is null
   * @throws IllegalArgumentException if it has no sequences, or more than 2^31 - 1 values
   * @throws IllegalStateException if it is closed
   */
  public static Map<String, Tensor> tensors(State state) {
    Checks.positive("sequences of state", Checks.notNull("state", state).sequences());
    long rows = Math.multiplyFull(state.entries(), state.sequences());
    int size = Math.max(state.hiddenSize(), state.cellSize());
    boolean fits = rows <= Integer.MAX_VALUE / size;
    Checks.require(fits, "size of state", rows + " * " + size, "at most 2^31 - 1 values");
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put(HIDDEN, tensor(state.hidden()));
    if (state.hasCells()) {
      tensors.put(CELLS, tensor(state.cells()));
    }
    return tensors;
  }

  /**
   * Reads a state.
   *
   * @param file the file; it stays open
   * @param prefix what its tensors have before their names, for example {@code "encoder."}
   * @return the state; close it to free its memory
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the file has no such hidden values
   * @throws IllegalStateException if the file is closed
   * @throws SafeTensorsException if a tensor has other than three dimensions above 0, or is of a type that cannot be
   *     converted, or the two do not match
   * @throws IOException if the file cannot be read
   */
  public static State read(SafeTensors file, String prefix) throws IOException {
    String hidden = Checks.notNull("prefix", prefix) + HIDDEN;
    String cells = prefix + CELLS;
    float[][][] ofHidden = array(Checks.notNull("file", file), hidden);
    if (!file.names().contains(cells)) {
      return State.of(ofHidden);
    }
    float[][][] ofCells = array(file, cells);
    if (ofCells.length != ofHidden.length || ofCells[0].length != ofHidden[0].length) {
      throw mismatch(file, cells, "as many entries and sequences as " + Shape.shown(file.shape(hidden)));
    }
    return State.of(ofHidden, ofCells);
  }

  private static Tensor tensor(float[][][] array) {
    int sequences = array[0].length;
    int size = array[0][0].length;
    float[] values = new float[Math.multiplyExact(array.length * sequences, size)];
    for (int row = 0; row < array.length * sequences; row++) {
      System.arraycopy(array[row / sequences][row % sequences], 0, values, row * size, size);
    }
    return Tensor.of(values, array.length, sequences, size);
  }

  private static float[][][] array(SafeTensors file, String name) throws IOException {
    long[] shape = file.shape(name);
    if (shape.length != 3 || shape[0] == 0 || shape[1] == 0 || shape[2] == 0) {
      throw mismatch(file, name, "three dimensions above 0");
    }
    float[] values = file.values(name);
    int sequences = (int) shape[1];
    int size = (int) shape[2];
    float[][][] array = new float[(int) shape[0]][sequences][size];
    for (int row = 0; row < array.length * sequences; row++) {
      System.arraycopy(values, row * size, array[row / sequences][row % sequences], 0, size);
    }
    return array;
  }

  private static SafeTensorsException mismatch(SafeTensors file, String name, String expected) {
    String found = "shape of " + JsonText.shown(name) + " is " + Shape.shown(file.shape(name));
    return new SafeTensorsException(file.file(), found + ": expected " + expected);
  }
}
