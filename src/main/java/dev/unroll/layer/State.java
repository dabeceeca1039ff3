package dev.unroll.layer;

import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.Memory;
import dev.unroll.internal.MemoryNative;
import dev.unroll.internal.MemorySource;

/**
 * What a recurrent layer carries from step to step, one vector for every layer, direction and sequence: [layers *
 * directions, sequences, hidden size], PyTorch's order, sequences in the caller's order. With two directions the entries are
 * layer 0 forward, layer 0 reverse, layer 1 forward, and so on.
 *
 * <p>Close it to free its memory.
 */
public final class State implements AutoCloseable {
  private final int entries;
  private final int sequences;
  private final int hiddenSize;
  private final Memory memory;

  private State(int entries, int sequences, int hiddenSize, Memory memory) {
    this.entries = entries;
    this.sequences = sequences;
    this.hiddenSize = hiddenSize;
    this.memory = memory;
  }

  /**
   * Makes a state.
   *
   * @param hidden [layers * directions][sequences][hidden size]
   * @return the state
   * @throws NullPointerException if {@code hidden} or a part of it is null; the message says which
   * @throws IllegalArgumentException if it has no entry, or is ragged; the message says where
   */
  public static State of(float[][][] hidden) {
    Checks.positive("number of entries of hidden", Checks.notNull("hidden", hidden).length);
    int sequences = Checks.notNull("hidden[0]", hidden[0]).length;
    Checks.require(sequences > 0, "number of sequences of hidden", sequences, "1 or more; without sequences, null");
    int size = Checks.notNull("hidden[0][0]", hidden[0][0]).length;
    Checks.positive("hidden size of hidden[0][0]", size);
    float[] flat = new float[Math.multiplyExact(Math.multiplyExact(hidden.length, sequences), size)];
    for (int l = 0; l < hidden.length; l++) {
      String entry = "hidden[" + l + "]";
      Checks.equal("number of sequences of " + entry, Checks.notNull(entry, hidden[l]).length, sequences);
      for (int b = 0; b < sequences; b++) {
        String row = entry + "[" + b + "]";
        Checks.equal("hidden size of " + row, Checks.notNull(row, hidden[l][b]).length, size);
        System.arraycopy(hidden[l][b], 0, flat, (l * sequences + b) * size, size);
      }
    }
    State state = allocate(MemorySource.SYSTEM, hidden.length, sequences, size);
    try (Lease lease = new Lease()) {
      MemoryNative.putFloats(state.address(lease), flat, 0, flat.length);
    }
    return state;
  }

  static State allocate(MemorySource source, int entries, int sequences, int hiddenSize) {
    long bytes = Math.multiplyExact((long) entries * sequences, (long) hiddenSize * Float.BYTES);
    return new State(entries, sequences, hiddenSize, Memory.from(source, bytes, "State"));
  }

  /**
   * Counts the entries: layers times directions.
   *
   * @return entries, 1 or more
   */
  public int entries() {
    return entries;
  }

  /**
   * Counts the sequences.
   *
   * @return sequences
   */
  public int sequences() {
    return sequences;
  }

  /**
   * Returns the size of one vector.
   *
   * @return hidden size
   */
  public int hiddenSize() {
    return hiddenSize;
  }

  /**
   * Returns the values.
   *
   * @return [layers * directions][sequences][hidden size], a copy
   * @throws IllegalStateException if this state is closed
   */
  public float[][][] hidden() {
    float[][][] values = new float[entries][sequences][hiddenSize];
    try (Lease lease = new Lease()) {
      long row = address(lease);
      for (float[][] entry : values) {
        for (float[] sequence : entry) {
          MemoryNative.getFloats(row, sequence, 0, hiddenSize);
          row += (long) hiddenSize * Float.BYTES;
        }
      }
    }
    return values;
  }

  /** Requires the shape that a layer and a batch have. */
  void check(String name, int expectedEntries, int expectedSequences, int expectedHiddenSize) {
    Checks.equal("layers * directions of " + name, entries, expectedEntries);
    Checks.equal("sequences of " + name, sequences, expectedSequences);
    Checks.equal("hidden size of " + name, hiddenSize, expectedHiddenSize);
  }

  long address(Lease lease) {
    return lease.address(memory);
  }

  /** Frees the memory; calling it again does nothing. */
  @Override
  public void close() {
    memory.close();
  }

  @Override
  public String toString() {
    return "State[" + entries + ", " + sequences + ", " + hiddenSize + "]";
  }
}
