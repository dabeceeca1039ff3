package dev.unroll.internal;

/**
 * Rows of packed batches: packing, selection and embedding; the contracts are those of {@code kernels.h}. Nothing is
 * checked.
 */
public final class SequenceNative {
  private SequenceNative() {}

  public static native void pack(
      int[] offsets, int sequence, int length, int features, float[] from, int fromOffset, long packed);

  public static native void unpack(
      int[] offsets, int sequence, int length, int features, long packed, float[] to, int toOffset);

  public static native void gatherRows(int rows, int features, int[] index, long from, long to);

  public static native void scatterAddRows(int rows, int features, int[] index, long from, long to);

  public static native void embeddingForward(long rows, long size, long tokens, long table, long y);

  public static native void embeddingBackward(long rows, long size, long tokens, long dY, long dTable);
}
