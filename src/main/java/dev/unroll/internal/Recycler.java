package dev.unroll.internal;

import java.util.ArrayDeque;
import java.util.Map;
import java.util.TreeMap;

/**
 * Keeps the blocks that are given back and hands them out again, so that work which repeats itself allocates nothing
 * after its first round.
 *
 * <p>Sizes are rounded up to one of eight steps per power of two: batches of similar size share blocks, and at most one
 * eighth of a block is wasted.
 */
public final class Recycler implements MemorySource {
  private static final long SMALLEST = 512;

  private final TreeMap<Long, ArrayDeque<Long>> free = new TreeMap<>();
  private boolean closed;

  /** Creates an empty recycler. */
  public Recycler() {}

  @Override
  public long take(long bytes) {
    long size = sizeClass(bytes);
    synchronized (this) {
      if (closed) {
        throw new IllegalStateException("Workspace is closed: expected an open one for new results");
      }
      ArrayDeque<Long> blocks = free.get(size);
      if (blocks != null && !blocks.isEmpty()) {
        return blocks.pop();
      }
    }
    return NativeHeap.allocate(size);
  }

  @Override
  public void giveBack(long address, long bytes) {
    long size = sizeClass(bytes);
    synchronized (this) {
      if (!closed) {
        free.computeIfAbsent(size, s -> new ArrayDeque<>()).push(address);
        return;
      }
    }
    NativeHeap.free(address, size);
  }

  /** Frees the blocks that are not in use; those in use are freed when they come back. */
  public synchronized void close() {
    closed = true;
    for (Map.Entry<Long, ArrayDeque<Long>> entry : free.entrySet()) {
      entry.getValue().forEach(address -> NativeHeap.free(address, entry.getKey()));
    }
    free.clear();
  }

  private static long sizeClass(long bytes) {
    long step = Math.max(SMALLEST, Long.highestOneBit(Math.max(bytes, 1)) / 8);
    // A size that cannot be rounded up cannot be allocated either, which the heap says.
    return bytes > Long.MAX_VALUE - step ? bytes : (bytes + step - 1) / step * step;
  }
}
