package dev.unroll.internal;

/**
 * Rows of packed batches: packing, embedding, pooling and dropout; the contracts are those of {@code kernels.h}. Nothing is
 * checked.
 */
public final class SequenceNative {
  private SequenceNative() {}

  /** At most {@link CellMover#MOST_SEQUENCES} sequences; sequences[0] is the first one. */
  static native void packSequences(
      int[] offsets,
      int features,
      int firstStep,
      int stepCount,
      int firstSequence,
      int sequenceCount,
      float[][] sequences,
      long packed);

  /** At most {@link CellMover#MOST_SEQUENCES} sequences; sequences[0] is the first one. */
  static native void unpackSequences(
      int[] offsets,
      int features,
      int firstStep,
      int stepCount,
      int firstSequence,
      int sequenceCount,
      long packed,
      float[][] sequences);

  /** Cells are counted from {@code padded[start]}, which need not be an element itself; those of the call must be. */
  static native void packPaddedArray(
      int[] offsets,
      int[] order,
      long sequenceStride,
      long stepStride,
      boolean realStepsOnly,
      int features,
      int firstStep,
      int stepCount,
      int firstSequence,
      int sequenceCount,
      float[] padded,
      long start,
      long packed);

  /** The opposite. */
  static native void unpackPaddedArray(
      int[] offsets,
      int[] order,
      long sequenceStride,
      long stepStride,
      boolean realStepsOnly,
      int features,
      int firstStep,
      int stepCount,
      int firstSequence,
      int sequenceCount,
      long packed,
      float padding,
      float[] padded,
      long start);

  static native void packPadded(
      int[] offsets,
      int[] order,
      long sequenceStride,
      long stepStride,
      boolean realStepsOnly,
      int features,
      int stepCount,
      long padded,
      long packed);

  static native void unpackPadded(
      int[] offsets,
      int[] order,
      long sequenceStride,
      long stepStride,
      boolean realStepsOnly,
      int features,
      int stepCount,
      long packed,
      float padding,
      long padded);

  public static native void embeddingForward(long rows, long size, long tokens, long table, long y);

  public static native void embeddingBackward(
      long rows, long size, long tokens, long dY, long index, long dTable);

  static native boolean rowOrder(int[] offsets, int sequences, long a, int aColumns, long b, int bColumns, long rows);

  static native void pool(int kind, int[] offsets, int[] order, int features, long x, long y);

  static native void poolBackward(
      int kind, int[] offsets, int[] order, int features, long x, long y, long dY, long dX);

  static native void dropout(double probability, long key, int[] offsets, int[] order, int features, long x, long y);
}
