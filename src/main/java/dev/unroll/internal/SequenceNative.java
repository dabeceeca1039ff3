package dev.unroll.internal;

/**
 * Rows of packed batches: packing and embedding; the contracts are those of {@code kernels.h}. Nothing is
 * checked.
 */
public final class SequenceNative {
  private SequenceNative() {}

  static native void pack(
      int[] offsets,
      int firstStep,
      int sequence,
      int length,
      int features,
      float[] from,
      int fromOffset,
      long packed);

  static native void unpack(
      int[] offsets,
      int firstStep,
      int sequence,
      int length,
      int features,
      long packed,
      float[] to,
      int toOffset);

  static native void packPaddedArray(
      int[] offsets,
      int[] order,
      long sequenceStride,
      long stepStride,
      int features,
      long firstCell,
      long cells,
      float[] padded,
      int start,
      long packed);

  static native void unpackPaddedArray(
      int[] offsets,
      int[] order,
      long sequenceStride,
      long stepStride,
      int features,
      long firstCell,
      long cells,
      long packed,
      float padding,
      float[] padded,
      int start);

  static native void packPadded(
      int[] offsets,
      int[] order,
      long sequenceStride,
      long stepStride,
      int features,
      long cells,
      long padded,
      long packed);

  static native void unpackPadded(
      int[] offsets,
      int[] order,
      long sequenceStride,
      long stepStride,
      int features,
      long cells,
      long packed,
      float padding,
      long padded);

  public static native void embeddingForward(long rows, long size, long tokens, long table, long y);

  public static native void embeddingBackward(
      long rows, long size, long tokens, long dY, long index, long dTable);

  static native boolean rowOrder(int[] offsets, int sequences, long a, int aColumns, long b, int bColumns, long rows);
}
