package dev.unroll.layer;

/**
 * One step of {@link Lstm} (PyTorch {@code nn.LSTMCell}); its parameters have the
 * layer's names, which are PyTorch's and {@code _l0} after them.
 */
public final class LstmCell extends RecurrentCell<Lstm> {
  /**
   * Makes one step of a layer.
   *
   * @param layer of one layer and one direction; closed with this cell
   * @throws NullPointerException if null
   * @throws IllegalArgumentException if it has more layers or directions
   */
  public LstmCell(Lstm layer) {
    super(layer);
  }

  /**
   * Makes a cell of the default options.
   *
   * @param inputSize features of an input, 1 or more
   * @param hiddenSize units, 1 or more
   * @param seed of the initial weights
   * @return a new cell; close it to free its memory
   * @throws IllegalArgumentException if a size is below 1
   */
  public static LstmCell of(int inputSize, int hiddenSize, long seed) {
    return new LstmCell(Lstm.builder(inputSize, hiddenSize).seed(seed).build());
  }
}
