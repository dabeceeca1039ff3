package dev.unroll.internal;

/**
 * The arrays that describe a packed batch to the kernels, and the native calls that need them. Native code trusts these
 * arrays, so they never leave this class and its {@link CellMover}.
 */
public final class PackedOrder {
  /** PoolingKind::kSum of kernels.h. */
  private static final int SUM = 0;

  private final int[] offsets;
  private final int[] order;
  private final int[] positions;
  private final boolean hasEqualLengths; // of two sequences that have steps

  /**
   * Takes arrays that nobody else keeps.
   *
   * @param offsets [T + 1] first row of every step, and the number of rows
   * @param order [B] the caller's index of every packed sequence
   * @param positions [B] the packed index of every sequence of the caller
   */
  public PackedOrder(int[] offsets, int[] order, int[] positions) {
    this.offsets = offsets;
    this.order = order;
    this.positions = positions;
    boolean equal = false;
    for (int t = 1; t <= steps(); t++) {
      int lastOfLength = t == steps() ? offsets[t] - offsets[t - 1] : 2 * offsets[t] - offsets[t - 1] - offsets[t + 1];
      equal |= lastOfLength > 1;
    }
    hasEqualLengths = equal;
  }

  /**
   * Returns the length of the longest sequence.
   *
   * @return T
   */
  public int steps() {
    return offsets.length - 1;
  }

  /**
   * Counts the rows.
   *
   * @return N
   */
  public int rows() {
    return offsets[steps()];
  }

  /**
   * Counts the sequences.
   *
   * @return B
   */
  public int sequences() {
    return order.length;
  }

  /**
   * Counts the rows of a step.
   *
   * @param step from 0
   * @return sequences that have the step
   */
  public int rows(int step) {
    return offsets[step + 1] - offsets[step];
  }

  /**
   * Returns the caller's index of a packed sequence.
   *
   * @param position its packed index
   * @return its index in the caller's order
   */
  public int sequence(int position) {
    return order[position];
  }

  /**
   * Returns the row of a step of a sequence that has it.
   *
   * @param sequence the caller's index
   * @param step from 0
   * @return the row
   */
  public int row(int sequence, int step) {
    return offsets[step] + positions[sequence];
  }

  /** The packed index of a sequence of the caller. */
  int position(int sequence) {
    return positions[sequence];
  }

  /** Counts the steps of a packed sequence. */
  int length(int position) {
    int least = 0;
    int most = steps();
    while (least < most) {
      int middle = (least + most) >>> 1;
      if (rows(middle) > position) {
        least = middle + 1;
      } else {
        most = middle;
      }
    }
    return least;
  }

  /** The row of a step of a packed sequence; of the step after the last, what would follow. */
  int rowAt(int position, int step) {
    return offsets[step] + position;
  }

  /** The last step, exclusive, up to which a step and those after it have at most so many rows; one step at least. */
  int stepsWithin(int first, int rows) {
    int end = first + 1;
    while (end < steps() && offsets[end + 1] - offsets[first] <= rows) {
      end++;
    }
    return end;
  }

  /**
   * Returns what moves rows between a batch of this order and the forms that callers hold.
   *
   * @param features values of a row
   * @return the mover
   */
  public CellMover cells(int features) {
    return new CellMover(this, offsets, order, features);
  }

  /**
   * Runs a stack of recurrent layers.
   *
   * @param call fields of {@code RecurrentCall}
   * @param layers fields of {@code RecurrentLayer} for each layer and direction
   */
  public void forward(long[] call, long[] layers) {
    RecurrentNative.forward(call, layers, offsets, order);
  }

  /**
   * Finds the order in which a sum over rows takes them, so that it does not depend on the caller's order: sequences of
   * equal length are ordered by their rows of two matrices.
   *
   * @param lease keeps what is returned
   * @param source where its memory is taken from
   * @param a address of a matrix of one row for every packed row
   * @param aColumns its columns
   * @param b address of another, or 0
   * @param bColumns its columns
   * @return address of the packed row of every term, or 0 if that is the packed order
   */
  public long sumOrder(Lease lease, MemorySource source, long a, int aColumns, long b, int bColumns) {
    if (!hasEqualLengths) {
      return 0;
    }
    long rows = lease.temporary(source, (long) rows() * Integer.BYTES);
    return SequenceNative.rowOrder(offsets, order.length, a, aColumns, b, bColumns, rows) ? rows : 0;
  }

  /**
   * Makes one row of the steps of each sequence, in the caller's order.
   *
   * @param kind the ordinal of {@code PoolingKind}
   * @param features of a row
   * @param x address of the packed rows
   * @param y address of what receives a row for every sequence
   */
  public void pool(int kind, int features, long x, long y) {
    SequenceNative.pool(kind, offsets, order, features, x, y);
  }

  /**
   * Computes the gradient of the packed rows that were pooled.
   *
   * @param kind the ordinal of {@code PoolingKind}
   * @param features of a row
   * @param x address of the packed rows
   * @param y address of what {@link #pool} made of them
   * @param dY address of its gradient
   * @param dX address of what receives that of the packed rows
   */
  public void poolBackward(int kind, int features, long x, long y, long dY, long dX) {
    SequenceNative.poolBackward(kind, offsets, order, features, x, y, dY, dX);
  }

  /**
   * Repeats one row for every sequence, in the caller's order, for all its steps.
   *
   * @param features of a row
   * @param from address of the rows
   * @param to address of what receives the packed rows
   */
  public void repeat(int features, long from, long to) {
    poolBackward(SUM, features, 0, 0, from, to); // gives every step what the sum has
  }

  /**
   * Drops elements of packed rows.
   *
   * @param probability that one is dropped, below 1
   * @param key chooses which
   * @param features of a row
   * @param x address of the packed rows
   * @param y address of what receives what is left
   */
  public void dropout(double probability, long key, int features, long x, long y) {
    SequenceNative.dropout(probability, key, offsets, order, features, x, y);
  }

  /**
   * Describes a forward pass once, for {@link RecurrentNative#step}.
   *
   * @param call fields of {@code RecurrentCall}
   * @param layers fields of {@code RecurrentLayer} for each layer and direction
   * @return the description, in native memory
   */
  public Memory prepare(long[] call, long[] layers) {
    long bytes =
        (long) Long.BYTES * (call.length + layers.length)
            + (long) Integer.BYTES * ((long) offsets.length + order.length);
    try (Lease lease = new Lease()) {
      Memory description = lease.result(Memory.zeroed(bytes, "RecurrentSession"));
      RecurrentNative.prepare(call, layers, offsets, order, lease.address(description));
      return lease.done(description);
    }
  }

  /**
   * Goes back through a stack of recurrent layers.
   *
   * @param call fields of {@code RecurrentCall}
   * @param layers fields of {@code RecurrentLayer} for each layer and direction
   * @param gradients fields of {@code RecurrentGradient} likewise
   */
  public void backward(long[] call, long[] layers, long[] gradients) {
    RecurrentNative.backward(call, layers, gradients, offsets, order);
  }
}
