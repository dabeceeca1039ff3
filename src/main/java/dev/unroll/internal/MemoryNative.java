package dev.unroll.internal;

import java.lang.reflect.Field;
import java.nio.Buffer;
import java.nio.ByteBuffer;

/**
 * Plain memory: allocation and copies. Addresses come from {@link #allocate}; nothing is checked.
 */
public final class MemoryNative {
  private MemoryNative() {}

  static native long allocate(long bytes);

  static native void release(long address);

  public static native void clear(long address, long bytes);

  public static native void copy(long from, long to, long bytes);

  /** Returns where element 0 of a direct buffer is, whatever its position. */
  static native long bufferAddress(Buffer buffer);

  /** Returns a direct buffer of memory, which it does not keep. */
  static native ByteBuffer buffer(long address, long bytes);

  /** Returns the value of an object's field of reference type, private ones of other modules included. */
  static native Object fieldValue(Field field, Object object);

  public static native void putFloats(long to, float[] from, int offset, int size);

  public static native void getFloats(long from, float[] to, int offset, int size);

  public static native void putInts(long to, int[] from, int offset, int size);

  public static native void getInts(long from, int[] to, int offset, int size);
}
