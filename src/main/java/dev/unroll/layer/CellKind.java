package dev.unroll.layer;

/** The cells that the kernels know, in the order of {@code CellKind} in {@code kernels.h}. */
enum CellKind {
  RNN_TANH("Rnn", 1),
  RNN_RELU("Rnn", 1);

  private final String label;
  private final int gates;

  CellKind(String label, int gates) {
    this.label = label;
    this.gates = gates;
  }

  String label() {
    return label;
  }

  int gates() {
    return gates;
  }
}
