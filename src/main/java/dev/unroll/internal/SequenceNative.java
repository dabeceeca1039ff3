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

  public static native void embeddingForward(long rows, long size, long tokens, long table, long y);

  public static native void embeddingBackward(long rows, long size, long tokens, long dY, long dTable);
}
