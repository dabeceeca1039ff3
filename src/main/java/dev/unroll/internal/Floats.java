package dev.unroll.internal;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * Floats that a caller holds, in an array or in a buffer of any kind, as a place to pack from and to unpack to. Sizes
 * are not checked here.
 */
public abstract class Floats {
  private Floats() {}

  /**
   * Takes an array.
   *
   * @param array all of its elements
   * @return the floats
   */
  public static Floats of(float[] array) {
    return new InArray(array, 0, array.length);
  }

  /**
   * Takes a buffer.
   *
   * @param buffer its floats from position to limit; neither is changed
   * @return the floats
   */
  public static Floats of(FloatBuffer buffer) {
    FloatBuffer own = buffer.duplicate(); // the position and limit of this one nobody else can move
    if (own.hasArray()) {
      return new InArray(own.array(), own.arrayOffset() + own.position(), own.remaining());
    }
    return DirectMemory.obstacle(own) == null ? new InPlace(own) : new InBuffer(own);
  }

  /**
   * Uses a caller's buffer as memory, without a copy. The buffer is kept as long as the memory is in use.
   *
   * @param name how messages name the buffer
   * @param buffer its floats from position to limit
   * @param results where results that belong with the memory take theirs from
   * @param owner how messages name the object that uses the memory
   * @return the memory
   * @throws IllegalArgumentException if its memory cannot be used in place; the message says why
   */
  public static Memory borrow(String name, FloatBuffer buffer, MemorySource results, String owner) {
    FloatBuffer own = buffer.duplicate();
    String obstacle = DirectMemory.obstacle(own);
    Checks.require(obstacle == null, name, obstacle, DirectMemory.EXPECTED);
    return Memory.borrowed(new InPlace(own), results, (long) own.remaining() * Float.BYTES, owner);
  }

  /**
   * Counts the floats.
   *
   * @return 0 or more
   */
  public abstract int size();

  /**
   * Copies the real steps of a batch into packed rows.
   *
   * @param order how the rows are laid out
   * @param places where the steps are
   * @param features values of a row
   * @param packed address of the first row
   */
  public abstract void pack(PackedOrder order, StepPlaces places, int features, long packed);

  /**
   * Copies packed rows to the real steps of a batch and fills what is not a real step.
   *
   * @param order how the rows are laid out
   * @param places where the steps are
   * @param features values of a row
   * @param packed address of the first row
   * @param padding the value to fill with
   */
  public abstract void unpack(PackedOrder order, StepPlaces places, int features, long packed, float padding);

  /**
   * Copies all floats.
   *
   * @param address where to
   */
  public abstract void copyTo(long address);

  /**
   * Fills all floats.
   *
   * @param address where from
   */
  public abstract void copyFrom(long address);

  /** In an array of the heap: native code holds it for short whiles. */
  private static final class InArray extends Floats {
    private final float[] array;
    private final int start;
    private final int size;

    InArray(float[] array, int start, int size) {
      this.array = array;
      this.start = start;
      this.size = size;
    }

    @Override
    public int size() {
      return size;
    }

    @Override
    public void pack(PackedOrder order, StepPlaces places, int features, long packed) {
      order.cells(features).pack(places, array, start, packed);
    }

    @Override
    public void unpack(PackedOrder order, StepPlaces places, int features, long packed, float padding) {
      if (places.padding() == StepPlaces.Padding.ELSEWHERE) {
        Arrays.fill(array, start, start + size, padding);
      }
      order.cells(features).unpack(places, packed, padding, array, start);
    }

    @Override
    public void copyTo(long address) {
      MemoryNative.putFloats(address, array, start, size);
    }

    @Override
    public void copyFrom(long address) {
      MemoryNative.getFloats(address, array, start, size);
    }
  }

  /** In direct memory that stays while the buffer is reachable: native code works on it. */
  private static final class InPlace extends Floats implements MemorySource {
    private final FloatBuffer buffer;
    private final long address;

    InPlace(FloatBuffer buffer) {
      this.buffer = buffer;
      address = DirectMemory.address(buffer);
    }

    @Override
    public long take(long bytes) {
      return address;
    }

    @Override
    public void giveBack(long block, long bytes) {
      // The collector frees it.
    }

    @Override
    public int size() {
      return buffer.remaining();
    }

    @Override
    public void pack(PackedOrder order, StepPlaces places, int features, long packed) {
      order.cells(features).pack(places, address, packed);
      Reference.reachabilityFence(buffer);
    }

    @Override
    public void unpack(PackedOrder order, StepPlaces places, int features, long packed, float padding) {
      if (places.padding() == StepPlaces.Padding.ELSEWHERE) {
        MemoryNative.fill(address, size(), padding);
      }
      order.cells(features).unpack(places, packed, padding, address);
      Reference.reachabilityFence(buffer);
    }

    @Override
    public void copyTo(long to) {
      MemoryNative.copy(address, to, (long) size() * Float.BYTES);
      Reference.reachabilityFence(buffer);
    }

    @Override
    public void copyFrom(long from) {
      MemoryNative.copy(from, address, (long) size() * Float.BYTES);
      Reference.reachabilityFence(buffer);
    }
  }

  /** In any other buffer: only its own methods touch it, which notice if its memory is gone. */
  private static final class InBuffer extends Floats {
    private static final int FLOATS_AT_ONCE = 1 << 13;

    private final FloatBuffer buffer;
    private final int first;

    InBuffer(FloatBuffer buffer) {
      this.buffer = buffer;
      first = buffer.position();
    }

    @Override
    public int size() {
      return buffer.remaining();
    }

    @Override
    public void pack(PackedOrder order, StepPlaces places, int features, long packed) {
      new BufferRows(order, places, buffer).pack(features, packed);
    }

    @Override
    public void unpack(PackedOrder order, StepPlaces places, int features, long packed, float padding) {
      new BufferRows(order, places, buffer).unpack(features, packed, padding);
    }

    @Override
    public void copyTo(long address) {
      float[] stage = new float[Math.min(size(), FLOATS_AT_ONCE)];
      for (int at = 0, count; at < size(); at += count) {
        count = Math.min(stage.length, size() - at);
        buffer.get(first + at, stage, 0, count);
        MemoryNative.putFloats(address + (long) at * Float.BYTES, stage, 0, count);
      }
    }

    @Override
    public void copyFrom(long address) {
      float[] stage = new float[Math.min(size(), FLOATS_AT_ONCE)];
      for (int at = 0, count; at < size(); at += count) {
        count = Math.min(stage.length, size() - at);
        MemoryNative.getFloats(address + (long) at * Float.BYTES, stage, 0, count);
        buffer.put(first + at, stage, 0, count);
      }
    }
  }
}
