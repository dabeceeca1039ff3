package dev.unroll.internal;

import java.util.Arrays;
import java.util.function.IntFunction;

/**
 * The arrays that describe a packed batch to the kernels, and the native calls that need them. Native code trusts these
 * arrays, so they never leave this class.
 */
public final class PackedOrder {
  /** Floats that one call may move while it keeps the collector waiting: some ten microseconds. */
  private static final int FLOATS_AT_ONCE = 1 << 16;

  /** Sequences that one native call takes each from an array of its own; so many also make a tile of the kernel. */
  static final int MOST_SEQUENCES = 64;

  /** Floats of a sequence that are copied in the time that it takes to hold an array in place. */
  private static final int SHORT_SEQUENCE = 128;

  /** Steps that one call should move of a sequence, if not more: tiles of the kernel, and most sequences whole. */
  private static final int FEWEST_STEPS = 128;

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

  /** Moves the cells of some steps of some packed sequences. */
  interface Rectangle {
    void move(int firstStep, int steps, int firstSequence, int sequences);
  }

  /**
   * Cuts a batch into rectangles.
   *
   * @param totalSteps steps to be moved; those beyond the longest sequence too
   * @param size floats of a rectangle, about
   * @param mostSequences of a rectangle
   * @param features values of a row
   * @param body called for each
   */
  void forEachRectangle(int totalSteps, int size, int mostSequences, int features, Rectangle body) {
    int cells = Math.max(1, size / features);
    int fitting = Math.max(1, cells / FEWEST_STEPS);
    int wholeTiles = fitting > MOST_SEQUENCES ? fitting / MOST_SEQUENCES * MOST_SEQUENCES : fitting;
    int atOnce = Math.min(mostSequences, wholeTiles);
    for (int p = 0, sequences; p < order.length; p += sequences) {
      sequences = Math.min(atOnce, order.length - p);
      for (int t = 0, steps; t < totalSteps; t += steps) {
        steps = Math.min(Math.max(1, cells / sequences), totalSteps - t);
        body.move(t, steps, p, sequences);
      }
    }
  }

  /** The same for real steps only: every sequence of a rectangle has its first step, and the first sequence all. */
  void forEachRealRectangle(int size, int mostSequences, int features, Rectangle body) {
    forEachRectangle(
        steps(),
        size,
        mostSequences,
        features,
        (t, steps, p, sequences) -> {
          int present = Math.min(rows(t) - p, sequences);
          if (present > 0) {
            body.move(t, Math.min(steps, length(p) - t), p, present);
          }
        });
  }

  /**
   * Copies sequences into packed rows.
   *
   * @param features values of a row
   * @param sequences [sequences][steps * features] in the caller's order
   * @param packed address of the first row
   */
  public void pack(int features, float[][] sequences, long packed) {
    if (isShort(features)) {
      StagedRows.packSequences(this, features, sequences, packed);
      return;
    }
    float[][] lines = new float[MOST_SEQUENCES][];
    forEachRealRectangle(
        FLOATS_AT_ONCE,
        MOST_SEQUENCES,
        features,
        (t, steps, p, count) -> {
          choose(b -> sequences[b], p, count, lines);
          SequenceNative.packSequences(offsets, features, t, steps, p, count, lines, packed);
        });
  }

  /** Whether sequences are so short that to hold an array in place costs more than to copy it. */
  private boolean isShort(int features) {
    return (long) rows() * features < (long) SHORT_SEQUENCE * order.length;
  }

  private void choose(IntFunction<float[]> sequences, int first, int count, float[][] lines) {
    for (int i = 0; i < count; i++) {
      lines[i] = sequences.apply(order[first + i]);
    }
  }

  /**
   * Copies packed rows into sequences.
   *
   * @param features values of a row
   * @param packed address of the first row
   * @param sequences gives the array of a sequence of the caller, [steps * features]; asked for no sequence without
   *     steps, and more than once for others
   */
  public void unpack(int features, long packed, IntFunction<float[]> sequences) {
    if (isShort(features)) {
      StagedRows.unpackSequences(this, features, packed, sequences);
      return;
    }
    float[][] lines = new float[MOST_SEQUENCES][];
    forEachRealRectangle(
        FLOATS_AT_ONCE,
        MOST_SEQUENCES,
        features,
        (t, steps, p, count) -> {
          choose(sequences, p, count, lines);
          SequenceNative.unpackSequences(offsets, features, t, steps, p, count, packed, lines);
        });
  }

  /**
   * Writes the rows of a rectangle. Its sequences stand in an array, {@code stride} floats apart.
   *
   * @param positions [B] 0, 1, 2, ...
   */
  void packStage(
      int features, int t, int steps, int p, int count, int[] positions, float[] stage, int stride, long packed) {
    long start = startOfStage(features, t, p, stride);
    SequenceNative.packPaddedArray(
        offsets, positions, stride, features, false, features, t, steps, p, count, stage, start, packed);
  }

  /** The opposite; the steps between the end of a sequence and that of the longest become 0. */
  void unpackStage(
      int features, int t, int steps, int p, int count, long packed, int[] positions, float[] stage, int stride) {
    long start = startOfStage(features, t, p, stride);
    SequenceNative.unpackPaddedArray(
        offsets, positions, stride, features, false, features, t, steps, p, count, packed, 0, stage, start);
  }

  /** Where a padded batch would begin whose rectangle is the stage. */
  private static long startOfStage(int features, int t, int p, int stride) {
    return -Math.multiplyFull(p, stride) - Math.multiplyFull(t, features);
  }

  /** The batch as the kernels take it, fields of {@code PaddedCells}; {@code first} is in the place of the order. */
  private record PaddedCells(int[] first, long sequenceStride, long stepStride, boolean realStepsOnly) {}

  private PaddedCells cells(StepPlaces places, int features) {
    if (places.padding() == StepPlaces.Padding.AFTER) {
      return new PaddedCells(order, places.sequenceStride(), places.stepStride(), false);
    }
    int[] first = new int[order.length];
    Arrays.setAll(first, p -> places.index(order[p], 0) / features);
    return new PaddedCells(first, features, places.stepStride(), true);
  }

  /**
   * Copies the real steps of a batch into packed rows.
   *
   * @param places where the steps are
   * @param features values of a row
   * @param array what holds it
   * @param start its first element there
   * @param packed address of the first row
   */
  public void pack(StepPlaces places, int features, float[] array, int start, long packed) {
    PaddedCells cells = cells(places, features);
    forEachRealRectangle(
        FLOATS_AT_ONCE,
        order.length,
        features,
        (t, steps, p, count) ->
            SequenceNative.packPaddedArray(
                offsets,
                cells.first,
                cells.sequenceStride,
                cells.stepStride,
                cells.realStepsOnly,
                features,
                t,
                steps,
                p,
                count,
                array,
                start,
                packed));
  }

  /**
   * Copies the real steps of a batch into packed rows.
   *
   * @param places where the steps are
   * @param features values of a row
   * @param address where it begins
   * @param packed address of the first row
   */
  public void pack(StepPlaces places, int features, long address, long packed) {
    PaddedCells cells = cells(places, features);
    SequenceNative.packPadded(
        offsets,
        cells.first,
        cells.sequenceStride,
        cells.stepStride,
        cells.realStepsOnly,
        features,
        steps(),
        address,
        packed);
  }

  /**
   * Copies packed rows to the real steps of a batch and fills the padding after them, no other.
   *
   * @param places where the steps are
   * @param features values of a row
   * @param packed address of the first row
   * @param padding the value to fill with
   * @param array what holds it
   * @param start its first element there
   */
  public void unpack(StepPlaces places, int features, long packed, float padding, float[] array, int start) {
    PaddedCells cells = cells(places, features);
    Rectangle unpack =
        (t, steps, p, count) ->
            SequenceNative.unpackPaddedArray(
                offsets,
                cells.first,
                cells.sequenceStride,
                cells.stepStride,
                cells.realStepsOnly,
                features,
                t,
                steps,
                p,
                count,
                packed,
                padding,
                array,
                start);
    if (cells.realStepsOnly) {
      forEachRealRectangle(FLOATS_AT_ONCE, order.length, features, unpack);
    } else {
      forEachRectangle(places.totalSteps(), FLOATS_AT_ONCE, order.length, features, unpack);
    }
  }

  /**
   * Copies packed rows to the real steps of a batch and fills the padding after them, no other.
   *
   * @param places where the steps are
   * @param features values of a row
   * @param packed address of the first row
   * @param padding the value to fill with
   * @param address where it begins
   */
  public void unpack(StepPlaces places, int features, long packed, float padding, long address) {
    PaddedCells cells = cells(places, features);
    SequenceNative.unpackPadded(
        offsets,
        cells.first,
        cells.sequenceStride,
        cells.stepStride,
        cells.realStepsOnly,
        features,
        cells.realStepsOnly ? steps() : places.totalSteps(),
        packed,
        padding,
        address);
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
    int sum = 0; // PoolingKind::kSum, whose gradient is what it is given, for every step
    poolBackward(sum, features, 0, 0, from, to);
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
