package dev.unroll.layer;

import dev.unroll.internal.Checks;

/** What all recurrent layers are made from; see the builders for the meanings. Without projection its size is 0. */
record RecurrentOptions(
    CellKind kind,
    int inputSize,
    int hiddenSize,
    int projectionSize,
    int layers,
    boolean bidirectional,
    boolean summed,
    boolean bias,
    double dropout,
    boolean peepholes,
    boolean coupled,
    Initialization initialization,
    long seed) {
  int directions() {
    return bidirectional ? 2 : 1;
  }

  /** Layers times directions. */
  int entries() {
    return layers * directions();
  }

  /** The entry of a direction of the last layer. */
  int topEntry(int direction) {
    return (layers - 1) * directions() + direction;
  }

  /** Requires that every weight fits into an array. */
  void checkSizes() {
    for (int layer = 0; layer < Math.min(layers, 2); layer++) { // all above the second are like the second
      long inputs = layer == 0 ? inputSize : (long) directions() * stateSize();
      checkSize("weight_ih_l" + layer, inputs);
    }
    checkSize("weight_hh_l0", stateSize());
  }

  private void checkSize(String name, long columns) {
    long size = (long) kind.gates() * hiddenSize;
    Checks.require(
        size <= Integer.MAX_VALUE / columns,
        "size of " + name,
        size + " * " + columns,
        "at most 2^31 - 1 values (gates * hiddenSize * inputs)");
  }

  /** Rows of a weight matrix: gates times units. */
  int gateRows() {
    return kind.gates() * hiddenSize;
  }

  /** Features of the state h of one direction. */
  int stateSize() {
    return projectionSize > 0 ? projectionSize : hiddenSize;
  }

  /** Features of the second state c of one direction, 0 if there is none. */
  int cellSize() {
    return kind.hasCells() ? hiddenSize : 0;
  }

  /** Features of all directions side by side. */
  int stateColumns() {
    return directions() * stateSize();
  }

  /** Features of a layer's output. */
  int outputSize() {
    return summed ? stateSize() : stateColumns();
  }

  /** First column of a direction in an output. */
  int outputColumn(int direction) {
    return summed ? 0 : direction * stateSize();
  }

  int inputSize(int layer) {
    return layer == 0 ? inputSize : outputSize();
  }

  /** PyTorch's suffix: _l0, _l0_reverse, _l1, ... */
  static String suffix(int layer, int direction) {
    return "_l" + layer + (direction == 1 ? "_reverse" : "");
  }
}
