package dev.unroll.layer;

/** What all recurrent layers are made from; see the builders for the meanings. Without projection its size is 0. */
record RecurrentOptions(
    CellKind kind,
    int inputSize,
    int hiddenSize,
    int projectionSize,
    int layers,
    boolean bidirectional,
    boolean bias,
    boolean peepholes,
    boolean coupled,
    long seed) {
  int directions() {
    return bidirectional ? 2 : 1;
  }

  /** Layers times directions. */
  int entries() {
    return layers * directions();
  }

  /** Rows of a weight matrix: gates times units. */
  int gateRows() {
    return Math.multiplyExact(kind.gates(), hiddenSize);
  }

  /** Features of the state h of one direction. */
  int stateSize() {
    return projectionSize > 0 ? projectionSize : hiddenSize;
  }

  /** Features of the second state c of one direction, 0 if there is none. */
  int cellSize() {
    return kind.hasCells() ? hiddenSize : 0;
  }

  /** Features of a layer's output: all directions side by side. */
  int outputSize() {
    return Math.multiplyExact(directions(), stateSize());
  }

  int inputSize(int layer) {
    return layer == 0 ? inputSize : outputSize();
  }

  /** PyTorch's suffix: _l0, _l0_reverse, _l1, ... */
  static String suffix(int layer, int direction) {
    return "_l" + layer + (direction == 1 ? "_reverse" : "");
  }
}
