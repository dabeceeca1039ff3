package dev.unroll.internal;

import java.lang.reflect.Field;
import java.nio.Buffer;
import java.nio.ByteBuffer;

/**
 * Plain memory: allocation and copies. Addresses come from {@link #allocate}; nothing is checked.
 */
public final class MemoryNative {
  /** Elements of an array that are copied at once, in some ten microseconds: a collection waits meanwhile. */
  private static final int ELEMENTS_AT_ONCE = 1 << 16;

  private MemoryNative() {}

  static native long allocate(long bytes);

  static native void release(long address);

  public static native void clear(long address, long bytes);

  static native void fill(long address, long floats, float value);

  public static native void copy(long from, long to, long bytes);

  /** Returns where element 0 of a direct buffer is, whatever its position. */
  static native long bufferAddress(Buffer buffer);

  /** Returns a direct buffer of memory, which it does not keep. */
  static native ByteBuffer buffer(long address, long bytes);

  /** Returns the value of an object's field of reference type, private ones of other modules included. */
  static native Object fieldValue(Field field, Object object);

  public static void putFloats(long to, float[] from, int offset, int size) {
    for (int done = 0, count; done < size; done += count) {
      count = Math.min(size - done, ELEMENTS_AT_ONCE);
      putFloatsAtOnce(to + (long) done * Float.BYTES, from, offset + done, count);
    }
  }

  private static native void putFloatsAtOnce(long to, float[] from, int offset, int size);

  public static void getFloats(long from, float[] to, int offset, int size) {
    for (int done = 0, count; done < size; done += count) {
      count = Math.min(size - done, ELEMENTS_AT_ONCE);
      getFloatsAtOnce(from + (long) done * Float.BYTES, to, offset + done, count);
    }
  }

  private static native void getFloatsAtOnce(long from, float[] to, int offset, int size);

  public static void putInts(long to, int[] from, int offset, int size) {
    for (int done = 0, count; done < size; done += count) {
      count = Math.min(size - done, ELEMENTS_AT_ONCE);
      putIntsAtOnce(to + (long) done * Integer.BYTES, from, offset + done, count);
    }
  }

  private static native void putIntsAtOnce(long to, int[] from, int offset, int size);

  public static void getInts(long from, int[] to, int offset, int size) {
    for (int done = 0, count; done < size; done += count) {
      count = Math.min(size - done, ELEMENTS_AT_ONCE);
      getIntsAtOnce(from + (long) done * Integer.BYTES, to, offset + done, count);
    }
  }

  private static native void getIntsAtOnce(long from, int[] to, int offset, int size);
}
