package dev.unroll.internal;

import java.util.Arrays;
import java.util.function.IntFunction;

/**
 * Moves rows of a number of features between packed batches of one order and what callers hold: arrays of sequences,
 * padded batches, and batches of sequences one after the other. Java arrays are moved in rectangles of some steps of some
 * sequences, for while native code holds an array in place the collector waits.
 */
public final class CellMover {
  /** Floats that one call may move while it keeps the collector waiting: some ten microseconds. */
  private static final int FLOATS_AT_ONCE = 1 << 16;

  /** Sequences that one native call takes each from an array of its own; so many also make a tile of the kernel. */
  static final int MOST_SEQUENCES = 64;

  /** Floats of a sequence that are copied in the time that it takes to hold an array in place. */
  private static final int SHORT_SEQUENCE = 128;

  /** Steps that one call should move of a sequence, if not more: tiles of the kernel, and most sequences whole. */
  private static final int FEWEST_STEPS = 128;

  private final PackedOrder packedOrder;
  private final int[] offsets;
  private final int[] order;
  private final int features;

  /** Takes the arrays of the order, which nobody changes. */
  CellMover(PackedOrder packedOrder, int[] offsets, int[] order, int features) {
    this.packedOrder = packedOrder;
    this.offsets = offsets;
    this.order = order;
    this.features = features;
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
   * @param body called for each
   */
  void forEachRectangle(int totalSteps, int size, int mostSequences, Rectangle body) {
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
  void forEachRealRectangle(int size, int mostSequences, Rectangle body) {
    forEachRectangle(
        packedOrder.steps(),
        size,
        mostSequences,
        (t, steps, p, sequences) -> {
          int present = Math.min(packedOrder.rows(t) - p, sequences);
          if (present > 0) {
            body.move(t, Math.min(steps, packedOrder.length(p) - t), p, present);
          }
        });
  }

  /**
   * Copies sequences into packed rows.
   *
   * @param sequences [sequences][steps * features] in the caller's order
   * @param packed address of the first row
   */
  public void pack(float[][] sequences, long packed) {
    if (isShort()) {
      StagedRows.packSequences(packedOrder, features, sequences, packed);
      return;
    }
    float[][] lines = new float[MOST_SEQUENCES][];
    forEachRealRectangle(
        FLOATS_AT_ONCE,
        MOST_SEQUENCES,
        (t, steps, p, count) -> {
          choose(b -> sequences[b], p, count, lines);
          SequenceNative.packSequences(offsets, features, t, steps, p, count, lines, packed);
        });
  }

  /** Whether sequences are so short that to hold an array in place costs more than to copy it. */
  private boolean isShort() {
    return (long) packedOrder.rows() * features < (long) SHORT_SEQUENCE * order.length;
  }

  private void choose(IntFunction<float[]> sequences, int first, int count, float[][] lines) {
    for (int i = 0; i < count; i++) {
      lines[i] = sequences.apply(order[first + i]);
    }
  }

  /**
   * Copies packed rows into sequences.
   *
   * @param packed address of the first row
   * @param sequences gives the array of a sequence of the caller, [steps * features]; asked for no sequence without
   *     steps, and more than once for others
   */
  public void unpack(long packed, IntFunction<float[]> sequences) {
    if (isShort()) {
      StagedRows.unpackSequences(packedOrder, features, packed, sequences);
      return;
    }
    float[][] lines = new float[MOST_SEQUENCES][];
    forEachRealRectangle(
        FLOATS_AT_ONCE,
        MOST_SEQUENCES,
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
  void packStage(int t, int steps, int p, int count, int[] positions, float[] stage, int stride, long packed) {
    long start = startOfStage(t, p, stride);
    SequenceNative.packPaddedArray(
        offsets, positions, stride, features, false, features, t, steps, p, count, stage, start, packed);
  }

  /** The opposite; the steps between the end of a sequence and that of the longest become 0. */
  void unpackStage(int t, int steps, int p, int count, long packed, int[] positions, float[] stage, int stride) {
    long start = startOfStage(t, p, stride);
    SequenceNative.unpackPaddedArray(
        offsets, positions, stride, features, false, features, t, steps, p, count, packed, 0, stage, start);
  }

  /** Where a padded batch would begin whose rectangle is the stage. */
  private long startOfStage(int t, int p, int stride) {
    return -Math.multiplyFull(p, stride) - Math.multiplyFull(t, features);
  }

  /** The batch as the kernels take it, fields of {@code PaddedCells}; {@code first} is in the place of the order. */
  private record PaddedCells(int[] first, long sequenceStride, long stepStride, boolean realStepsOnly) {}

  private PaddedCells cells(StepPlaces places) {
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
   * @param array what holds it
   * @param start its first element there
   * @param packed address of the first row
   */
  public void pack(StepPlaces places, float[] array, int start, long packed) {
    PaddedCells cells = cells(places);
    forEachRealRectangle(
        FLOATS_AT_ONCE,
        order.length,
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
   * @param address where it begins
   * @param packed address of the first row
   */
  public void pack(StepPlaces places, long address, long packed) {
    PaddedCells cells = cells(places);
    SequenceNative.packPadded(
        offsets,
        cells.first,
        cells.sequenceStride,
        cells.stepStride,
        cells.realStepsOnly,
        features,
        packedOrder.steps(),
        address,
        packed);
  }

  /**
   * Copies packed rows to the real steps of a batch and fills the padding after them, no other.
   *
   * @param places where the steps are
   * @param packed address of the first row
   * @param padding the value to fill with
   * @param array what holds it
   * @param start its first element there
   */
  public void unpack(StepPlaces places, long packed, float padding, float[] array, int start) {
    PaddedCells cells = cells(places);
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
      forEachRealRectangle(FLOATS_AT_ONCE, order.length, unpack);
    } else {
      forEachRectangle(places.totalSteps(), FLOATS_AT_ONCE, order.length, unpack);
    }
  }

  /**
   * Copies packed rows to the real steps of a batch and fills the padding after them, no other.
   *
   * @param places where the steps are
   * @param packed address of the first row
   * @param padding the value to fill with
   * @param address where it begins
   */
  public void unpack(StepPlaces places, long packed, float padding, long address) {
    PaddedCells cells = cells(places);
    SequenceNative.unpackPadded(
        offsets,
        cells.first,
        cells.sequenceStride,
        cells.stepStride,
        cells.realStepsOnly,
        features,
        cells.realStepsOnly ? packedOrder.steps() : places.totalSteps(),
        packed,
        padding,
        address);
  }
}
