package dev.unroll.layer;

import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.Memory;
import dev.unroll.internal.MemoryNative;
import dev.unroll.internal.MemorySource;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.SequenceLayout;
import java.util.List;

/**
 * What a recurrent layer carries from step to step, one vector for every layer, direction and sequence: [layers *
 * directions, sequences, hidden size] (of an {@link Lstm} with projection, its size), PyTorch's order, sequences in the
 * caller's order. With two directions the entries are layer 0 forward, layer 0 reverse, layer 1 forward, and so on. An
 * {@link Lstm} has a second such array, its cells, whose vectors always have the hidden size.
 *
 * <p>An entry is a batch of one step for every sequence, which layers and {@link dev.unroll.sequence.Features} take, and
 * such batches make a state: that is how the two directions of an encoder become the one of its decoder, and gradients of
 * states are added up.
 *
 * <pre>{@code
 * try (PackedSequence ahead = encoded.hidden(0);
 *     PackedSequence back = encoded.hidden(1);
 *     PackedSequence both = Features.concatenate(ahead, back);
 *     PackedSequence bridged = bridge.forward(both);
 *     State first = State.ofEntries(List.of(bridged))) {
 *   decoder.forward(input, first);
 * }
 * }</pre>
 *
 * <p>Close it to free its memory.
 */
public final class State implements AutoCloseable {
  private final int entries;
  private final int sequences;
  private final int hiddenSize;
  private final int cellSize; // 0 without cells
  private final Memory memory; // hidden, then cells
  private final long cellsOffset;

  private State(MemorySource source, int entries, int sequences, int hiddenSize, int cellSize) {
    this.entries = entries;
    this.sequences = sequences;
    this.hiddenSize = hiddenSize;
    this.cellSize = cellSize;
    BufferPlan plan = new BufferPlan();
    plan.add((long) entries * sequences, hiddenSize);
    cellsOffset = plan.bytes();
    plan.add((long) entries * sequences, cellSize);
    memory = Memory.from(source, plan.bytes(), "State");
  }

  /**
   * Makes a state.
   *
   * @param hidden [layers * directions][sequences][hidden size]
   * @return the state
   * @throws NullPointerException if {@code hidden} or a part of it is null; the message says which
   * @throws IllegalArgumentException if it has no entry or no sequence, or is ragged; the message says where
   */
  public static State of(float[][][] hidden) {
    Rectangle h = Rectangle.of("hidden", hidden);
    State state = new State(MemorySource.SYSTEM, h.entries, h.sequences, h.size, 0);
    state.write(h, 0);
    return state;
  }

  /**
   * Makes a state of an {@link Lstm}.
   *
   * @param hidden [layers * directions][sequences][hidden size, or that of the projection]
   * @param cells [layers * directions][sequences][hidden size]
   * @return the state
   * @throws NullPointerException if an array or a part of it is null; the message says which
   * @throws IllegalArgumentException if an array has no entry or no sequence, or is ragged, or the arrays do not match
   */
  public static State of(float[][][] hidden, float[][][] cells) {
    Rectangle h = Rectangle.of("hidden", hidden);
    Rectangle c = Rectangle.of("cells", cells);
    Checks.equal("number of entries of cells", c.entries, h.entries);
    Checks.equal("number of sequences of cells", c.sequences, h.sequences);
    State state = new State(MemorySource.SYSTEM, h.entries, h.sequences, h.size, c.size);
    state.write(h, 0);
    state.write(c, state.cellsOffset);
    return state;
  }

  /**
   * Makes a state of one step for every sequence, such as {@link #hidden(int)} gives.
   *
   * @param hidden an entry each, of as many sequences and features; they are copied
   * @return the state
   * @throws NullPointerException if {@code hidden} or an entry is null
   * @throws IllegalArgumentException if there is none, an entry has other than one step for each sequence, or they differ
   * @throws IllegalStateException if an entry is closed
   */
  public static State ofEntries(List<PackedSequence> hidden) {
    return ofEntries(checkedEntries("hidden", hidden), new PackedSequence[0]);
  }

  /**
   * Makes a state of an {@link Lstm} likewise.
   *
   * @param hidden an entry each, of as many sequences and features
   * @param cells an entry each, of as many sequences as those of {@code hidden}
   * @return the state
   * @throws NullPointerException if a list or an entry is null
   * @throws IllegalArgumentException if there is none, an entry has other than one step for each sequence, or they
   *     differ, or the lists do not match
   * @throws IllegalStateException if an entry is closed
   */
  public static State ofEntries(List<PackedSequence> hidden, List<PackedSequence> cells) {
    PackedSequence[] h = checkedEntries("hidden", hidden);
    PackedSequence[] c = checkedEntries("cells", cells);
    Checks.equal("number of entries of cells", c.length, h.length);
    Checks.equal("number of sequences of cells", c[0].layout().sequences(), h[0].layout().sequences());
    return ofEntries(h, c);
  }

  private static PackedSequence[] checkedEntries(String name, List<PackedSequence> given) {
    PackedSequence[] entries = Checks.ownCopy(name, given, new PackedSequence[0]);
    Checks.positive("number of entries of " + name, entries.length);
    SequenceLayout single = null;
    for (int e = 0; e < entries.length; e++) {
      String entry = name + "[" + e + "]";
      int sequences = entries[e].layout().sequences();
      single = single == null ? SequenceLayout.ofSingleSteps(sequences) : single;
      entries[e].layout().requireSame(entry, e == 0 ? "one step for every sequence" : name + "[0]", single);
      Checks.equal("features of " + entry, entries[e].features(), entries[0].features());
    }
    return entries;
  }

  private static State ofEntries(PackedSequence[] hidden, PackedSequence[] cells) {
    int cellSize = cells.length == 0 ? 0 : cells[0].features();
    int sequences = hidden[0].layout().sequences();
    try (Lease lease = new Lease()) {
      State state =
          lease.result(new State(hidden[0].source(), hidden.length, sequences, hidden[0].features(), cellSize));
      Addresses to = addresses(state, lease);
      for (int e = 0; e < hidden.length; e++) {
        MemoryNative.copy(hidden[e].address(lease), to.hidden(e), to.hiddenBytes);
      }
      for (int e = 0; e < cells.length; e++) {
        MemoryNative.copy(cells[e].address(lease), to.cell(e), to.cellBytes);
      }
      return lease.done(state);
    }
  }

  /**
   * Joins states: the streams of several clients, which then take their steps in one batch.
   *
   * <pre>{@code
   * try (State before = State.join(states); // of the clients that have sent something
   *     RecurrentOutput output = lstm.infer(batch, before)) {
   *   for (int i = 0; i < clients.size(); i++) {
   *     clients.get(i).replaceState(output.finalState().select(i));
   *   }
   * }
   * }</pre>
   *
   * @param states of as many layers and directions and of one size, with cells or without; they are copied
   * @return their sequences, one state after the other
   * @throws NullPointerException if {@code states} or one of them is null
   * @throws IllegalArgumentException if there is none, or they differ; the message says in what
   * @throws IllegalStateException if one is closed
   */
  public static State join(List<State> states) {
    State[] parts = Checks.ownCopy("states", states, new State[0]);
    Checks.positive("number of states", parts.length);
    State first = parts[0];
    long sequences = 0;
    for (int i = 0; i < parts.length; i++) {
      String name = "states[" + i + "]";
      State part = parts[i];
      Checks.equal("entries of " + name, part.entries, first.entries);
      Checks.equal("hidden size of " + name, part.hiddenSize, first.hiddenSize);
      Checks.equal("cell size of " + name, part.cellSize, first.cellSize);
      sequences += part.sequences;
    }
    Checks.require(sequences <= Integer.MAX_VALUE, "number of sequences", sequences, "at most 2^31 - 1");
    try (Lease lease = new Lease()) {
      State joined = lease.result(first.of((int) sequences));
      Addresses to = addresses(joined, lease);
      int before = 0;
      for (State part : parts) {
        Addresses from = addresses(part, lease);
        for (int e = 0; e < first.entries; e++) {
          MemoryNative.copy(from.hidden(e), to.hidden(e) + before * first.hiddenRow(), from.hiddenBytes);
          if (first.hasCells()) {
            MemoryNative.copy(from.cell(e), to.cell(e) + before * first.cellRow(), from.cellBytes);
          }
        }
        before += part.sequences;
      }
      return lease.done(joined);
    }
  }

  /**
   * Takes the states of some sequences: of the beams that a search keeps, of the streams that go on.
   *
   * @param sequences indices in the order of the result; one may come several times
   * @return their state, a copy
   * @throws NullPointerException if {@code sequences} is null
   * @throws IllegalArgumentException if there is no such sequence; the message says where
   * @throws IllegalStateException if this state is closed
   */
  public State select(int... sequences) {
    int[] own = Checks.notNull("sequences", sequences).clone();
    Checks.indices("sequences", own, this.sequences);
    try (Lease lease = new Lease()) {
      Addresses from = addresses(this, lease);
      State selected = lease.result(of(own.length));
      Addresses to = addresses(selected, lease);
      for (int e = 0; e < entries; e++) {
        for (int b = 0; b < own.length; b++) {
          MemoryNative.copy(from.hidden(e) + own[b] * hiddenRow(), to.hidden(e) + b * hiddenRow(), hiddenRow());
          if (hasCells()) {
            MemoryNative.copy(from.cell(e) + own[b] * cellRow(), to.cell(e) + b * cellRow(), cellRow());
          }
        }
      }
      return lease.done(selected);
    }
  }

  /** A state of undefined content, of other sequences, which goes on longer than the workspace of this one. */
  private State of(int otherSequences) {
    return new State(MemorySource.SYSTEM, entries, otherSequences, hiddenSize, cellSize);
  }

  private long hiddenRow() {
    return (long) hiddenSize * Float.BYTES;
  }

  private long cellRow() {
    return (long) cellSize * Float.BYTES;
  }

  /** A checked copy of a caller's array, which another thread may change meanwhile. */
  private record Rectangle(int entries, int sequences, int size, float[] values) {
    static Rectangle of(String name, float[][][] given) {
      Checks.positive("number of entries of " + name, Checks.notNull(name, given).length);
      int entries = given.length;
      int sequences = Checks.notNull(name + "[0]", given[0]).length;
      Checks.require(sequences > 0, "number of sequences of " + name, sequences, "1 or more; without sequences, null");
      int size = Checks.notNull(name + "[0][0]", given[0][0]).length;
      Checks.positive("size of " + name + "[0][0]", size);
      long rows = (long) entries * sequences;
      boolean fits = rows <= Integer.MAX_VALUE / size;
      Checks.require(fits, "size of " + name, rows + " * " + size, "at most 2^31 - 1 values");
      float[] values = new float[(int) rows * size];
      for (int l = 0; l < entries; l++) {
        String entry = name + "[" + l + "]";
        float[][] ofEntry = Checks.notNull(entry, given[l]);
        Checks.equal("number of sequences of " + entry, ofEntry.length, sequences);
        for (int b = 0; b < sequences; b++) {
          String row = entry + "[" + b + "]";
          float[] ofRow = Checks.notNull(row, ofEntry[b]);
          Checks.equal("size of " + row, ofRow.length, size);
          System.arraycopy(ofRow, 0, values, (l * sequences + b) * size, size);
        }
      }
      return new Rectangle(entries, sequences, size, values);
    }
  }

  /** A state of undefined content. */
  static State allocate(MemorySource source, RecurrentOptions options, int sequences) {
    return new State(source, options.entries(), sequences, options.stateSize(), options.cellSize());
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
   * @return hidden size, or that of the projection
   */
  public int hiddenSize() {
    return hiddenSize;
  }

  /**
   * Tells whether there are cells.
   *
   * @return true for the state of an {@link Lstm}
   */
  public boolean hasCells() {
    return cellSize > 0;
  }

  /**
   * Returns the size of the cells of one vector.
   *
   * @return hidden size, or 0 without cells
   */
  public int cellSize() {
    return cellSize;
  }

  /**
   * Returns the values.
   *
   * @return [layers * directions][sequences][{@link #hiddenSize()}], a copy
   * @throws IllegalStateException if this state is closed
   */
  public float[][][] hidden() {
    return read(0, hiddenSize);
  }

  /**
   * Returns the vectors of one layer and direction.
   *
   * @param entry {@code layer * directions + direction}
   * @return one step of {@link #hiddenSize()} features for every sequence, a copy; close it to free its memory
   * @throws IllegalArgumentException if there is no such entry
   * @throws IllegalStateException if this state is closed
   */
  public PackedSequence hidden(int entry) {
    Checks.index("entry", entry, entries);
    return steps(0, entry, hiddenSize);
  }

  /**
   * Returns the cells of one layer and direction of an {@link Lstm}.
   *
   * @param entry {@code layer * directions + direction}
   * @return one step of hidden size features for every sequence, a copy; close it to free its memory
   * @throws IllegalArgumentException if there is no such entry
   * @throws IllegalStateException if this state is closed or has no cells
   */
  public PackedSequence cells(int entry) {
    checkCells();
    Checks.index("entry", entry, entries);
    return steps(cellsOffset, entry, cellSize);
  }

  /** Sequences of equal length keep the caller's order when they are packed, which is that of a state. */
  private PackedSequence steps(long offset, int entry, int size) {
    SequenceLayout single = SequenceLayout.ofSingleSteps(sequences);
    try (Lease lease = new Lease()) {
      long bytes = (long) sequences * size * Float.BYTES;
      long from = lease.address(memory) + offset + entry * bytes;
      PackedSequence copy = lease.result(PackedSequence.allocate(memory.source(), single, size));
      MemoryNative.copy(from, copy.address(lease), bytes);
      return lease.done(copy);
    }
  }

  private void checkCells() {
    if (!hasCells()) {
      throw new IllegalStateException(this + " has no cells: expected the state of an Lstm");
    }
  }

  /**
   * Returns the cells of an {@link Lstm}.
   *
   * @return [layers * directions][sequences][hidden size], a copy
   * @throws IllegalStateException if this state is closed or has no cells
   */
  public float[][][] cells() {
    checkCells();
    return read(cellsOffset, cellSize);
  }

  private float[][][] read(long offset, int size) {
    float[][][] values = new float[entries][sequences][size];
    try (Lease lease = new Lease()) {
      long row = lease.address(memory) + offset;
      for (float[][] entry : values) {
        for (float[] sequence : entry) {
          MemoryNative.getFloats(row, sequence, 0, size);
          row += (long) size * Float.BYTES;
        }
      }
    }
    return values;
  }

  private void write(Rectangle array, long offset) {
    try (Lease lease = new Lease()) {
      MemoryNative.putFloats(lease.address(memory) + offset, array.values, 0, array.values.length);
    }
  }

  /** Sets all values to zero. */
  void clear() {
    try (Lease lease = new Lease()) {
      MemoryNative.clear(lease.address(memory), memory.bytes());
    }
  }

  /** Sets the values of one sequence to zero. */
  void clear(int sequence) {
    try (Lease lease = new Lease()) {
      Addresses at = addresses(this, lease);
      for (int e = 0; e < entries; e++) {
        MemoryNative.clear(at.hidden(e) + sequence * hiddenRow(), hiddenRow());
        if (hasCells()) {
          MemoryNative.clear(at.cell(e) + sequence * cellRow(), cellRow());
        }
      }
    }
  }

  /** A state with the same values. */
  State copy() {
    try (Lease lease = new Lease()) {
      State copy = lease.result(new State(MemorySource.SYSTEM, entries, sequences, hiddenSize, cellSize));
      copy.copyFrom("state", this);
      return lease.done(copy);
    }
  }

  /** Takes the values of a state of the same shape. */
  void copyFrom(String name, State other) {
    other.check(name, entries, sequences, hiddenSize, cellSize);
    try (Lease lease = new Lease()) {
      MemoryNative.copy(lease.address(other.memory), lease.address(memory), memory.bytes());
    }
  }

  /** Keeps the memory while the lease is open. */
  void pin(Lease lease) {
    lease.address(memory);
  }

  /** Requires the shape that a layer and a batch have. */
  void check(String name, int expectedEntries, int expectedSequences, int expectedSize, int expectedCellSize) {
    Checks.equal("layers * directions of " + name, entries, expectedEntries);
    Checks.equal("sequences of " + name, sequences, expectedSequences);
    Checks.equal("hidden size of " + name, hiddenSize, expectedSize);
    if (cellSize > 0 != expectedCellSize > 0) {
      String expected = expectedCellSize > 0 ? "those of an LSTM" : "none, for the layer is no LSTM";
      throw Checks.unexpected("cells of " + name, cellSize > 0 ? "present" : "missing", expected);
    }
    Checks.equal("size of the cells of " + name, cellSize, expectedCellSize);
  }

  /** Requires that the state is open. */
  void checkOpen() {
    memory.checkOpen();
  }

  /** Where the entries of a state are; all addresses are 0 if there is no state. */
  record Addresses(long hiddenBase, long hiddenBytes, long cellBase, long cellBytes) {
    static final Addresses NONE = new Addresses(0, 0, 0, 0);

    long hidden(int entry) {
      return hiddenBase + entry * hiddenBytes;
    }

    long cell(int entry) {
      return cellBase + entry * cellBytes;
    }
  }

  /** Pins a state, or none. */
  static Addresses addresses(State state, Lease lease) {
    if (state == null) {
      return Addresses.NONE;
    }
    long base = lease.address(state.memory);
    long rowBytes = (long) state.sequences * Float.BYTES;
    return new Addresses(
        base,
        rowBytes * state.hiddenSize,
        state.hasCells() ? base + state.cellsOffset : 0,
        rowBytes * state.cellSize);
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
