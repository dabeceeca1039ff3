package dev.unroll.layer;

/** The cells that the kernels know, in the order of {@code CellKind} in {@code kernels.h}. */
enum CellKind {
  RNN_TANH("Rnn", 1, 1),
  RNN_RELU("Rnn", 1, 1),
  LSTM("Lstm", 4, 4),
  GRU("Gru", 3, 2),
  GRU_RESET_BEFORE("Gru", 3, 2);

  private final String label;
  private final int gates;
  private final int firstGates;

  CellKind(String label, int gates, int firstGates) {
    this.label = label;
    this.gates = gates;
    this.firstGates = firstGates;
  }

  String label() {
    return label;
  }

  int gates() {
    return gates;
  }

  /** Gates whose sums have the same gradient for inputs and state, and need nothing from the other gates of the step. */
  int firstGates() {
    return firstGates;
  }

  /** Whether there is a second state, c. */
  boolean hasCells() {
    return this == LSTM;
  }

  /** Whether the kernels keep the gates' recurrent parts. */
  boolean hasRecurrent() {
    return this == GRU || this == GRU_RESET_BEFORE;
  }

  /** Whether the recurrent bias of the last gate is no term of its sum, but of what the reset gate multiplies. */
  boolean keepsLastBiasApart() {
    return this == GRU;
  }
}
