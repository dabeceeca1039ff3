package dev.unroll.layer;

/** What all recurrent layers are made from; see {@link RecurrentBuilder} for the meanings. */
record RecurrentOptions(
    int inputSize, int hiddenSize, int layers, boolean bidirectional, boolean bias, long seed) {
  int directions() {
    return bidirectional ? 2 : 1;
  }

  /** Features of a layer's output: all directions side by side. */
  int outputSize() {
    return directions() * hiddenSize;
  }

  int inputSize(int layer) {
    return layer == 0 ? inputSize : outputSize();
  }

  /** PyTorch's suffix: _l0, _l0_reverse, _l1, ... */
  static String suffix(int layer, int direction) {
    return "_l" + layer + (direction == 1 ? "_reverse" : "");
  }
}
