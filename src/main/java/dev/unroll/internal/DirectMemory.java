package dev.unroll.internal;

import java.lang.reflect.Field;
import java.nio.Buffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.MappedByteBuffer;

/**
 * Decides whether native code may use the memory of a caller's direct buffer in place: only if it cannot go away while
 * the buffer is reachable. That holds for what {@code ByteBuffer.allocateDirect} returned, its slices, duplicates and
 * views, which the collector alone frees. It does not for memory of an arena that can be closed, for a file mapping
 * (the file may be cut) or for memory that other native code lent to Java.
 *
 * <p>No public method tells these apart, so the fields of the buffers are read. If a Java version has other fields, no
 * buffer passes, and callers copy instead.
 */
final class DirectMemory {
  /** What a buffer without an {@link #obstacle} is. */
  static final String EXPECTED =
      "a direct buffer in native byte order at a multiple of 4 bytes, whose memory is of ByteBuffer.allocateDirect";

  private static final Fields FIELDS = Fields.find();

  private DirectMemory() {}

  /**
   * Finds out why native code may not use a buffer's memory in place.
   *
   * @param buffer any buffer
   * @return what it is, or null if it may
   */
  static String obstacle(FloatBuffer buffer) {
    if (!buffer.isDirect()) {
      return "a buffer of the heap";
    }
    if (buffer.order() != ByteOrder.nativeOrder()) {
      return "a buffer in byte order " + buffer.order();
    }
    NativeRuntime.start();
    if (FIELDS == null || !FIELDS.collectorFrees(buffer)) {
      return "a buffer of memory that may go away while it is reachable";
    }
    return address(buffer) % Float.BYTES == 0 ? null : "a buffer at address " + address(buffer);
  }

  /**
   * Returns where the first element of a buffer is, from its position.
   *
   * @param buffer a direct buffer
   * @return its address, valid while the buffer is reachable if there is no {@link #obstacle}
   */
  static long address(FloatBuffer buffer) {
    return MemoryNative.bufferAddress(buffer) + (long) buffer.position() * Float.BYTES;
  }

  /** The private fields that tell who owns a direct buffer's memory. */
  private record Fields(Field segment, Field floatsParent, Field bytesParent, Field cleaner, Field file) {
    static Fields find() {
      try {
        Class<?> bytes = Class.forName("java.nio.DirectByteBuffer");
        return new Fields(
            Buffer.class.getDeclaredField("segment"),
            Class.forName("java.nio.DirectFloatBufferU").getDeclaredField("att"),
            bytes.getDeclaredField("att"),
            bytes.getDeclaredField("cleaner"),
            MappedByteBuffer.class.getDeclaredField("fd"));
      } catch (ClassNotFoundException | NoSuchFieldException e) {
        return null;
      }
    }

    /** Whether the buffer, or the one that it is a part or view of, has memory of its own from the JVM. */
    boolean collectorFrees(Object buffer) {
      boolean isBytes = bytesParent.getDeclaringClass().isInstance(buffer);
      if (!isBytes && !floatsParent.getDeclaringClass().isInstance(buffer) || value(segment, buffer) != null) {
        return false;
      }
      Object parent = value(isBytes ? bytesParent : floatsParent, buffer);
      if (parent != null) {
        return collectorFrees(parent);
      }
      return isBytes && value(cleaner, buffer) != null && value(file, buffer) == null;
    }

    private static Object value(Field field, Object object) {
      return MemoryNative.fieldValue(field, object);
    }
  }
}
