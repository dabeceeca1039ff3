package dev.unroll.internal;

import java.util.Arrays;

/**
 * Keeps the blocks that are given back and hands them out again, so that work which repeats itself allocates nothing
 * after its first round.
 *
 * <p>Sizes are rounded up to one of eight steps per power of two: batches of similar size share blocks, and at most one
 * eighth of a block is wasted.
 */
public final class Recycler implements MemorySource {
  private static final int STEPS_LOG2 = 3; // of eight steps per power of two
  private static final long SMALLEST = 512;

  private final Blocks[] free = new Blocks[Long.SIZE << STEPS_LOG2];
  private boolean closed;

  /** The free blocks of one size. */
  private static final class Blocks {
    final long size;
    long[] addresses = new long[4];
    int count;

    Blocks(long size) {
      this.size = size;
    }

    void push(long address) {
      if (count == addresses.length) {
        addresses = Arrays.copyOf(addresses, 2 * count);
      }
      addresses[count++] = address;
    }
  }

  /** Creates an empty recycler. */
  public Recycler() {}

  @Override
  public long take(long bytes) {
    long size = roundedUp(bytes);
    synchronized (this) {
      if (closed) {
        throw new IllegalStateException("Workspace is closed: expected an open one for new results");
      }
      Blocks blocks = free[index(size)];
      if (blocks != null && blocks.count > 0) {
        return blocks.addresses[--blocks.count];
      }
    }
    return NativeHeap.allocate(size);
  }

  @Override
  public void giveBack(long address, long bytes) {
    long size = roundedUp(bytes);
    synchronized (this) {
      if (!closed) {
        int index = index(size);
        if (free[index] == null) {
          free[index] = new Blocks(size);
        }
        free[index].push(address);
        return;
      }
    }
    NativeHeap.free(address, size);
  }

  /** Frees the blocks that are not in use; those in use are freed when they come back. */
  public synchronized void close() {
    closed = true;
    for (Blocks blocks : free) {
      for (int i = 0; blocks != null && i < blocks.count; i++) {
        NativeHeap.free(blocks.addresses[i], blocks.size);
      }
    }
    Arrays.fill(free, null);
  }

  private static long roundedUp(long bytes) {
    long step = Math.max(SMALLEST, Long.highestOneBit(Math.max(bytes, 1)) >> STEPS_LOG2);
    // A size that cannot be rounded up cannot be allocated either, which the heap says.
    return bytes > Long.MAX_VALUE - step ? bytes : (bytes + step - 1) / step * step;
  }

  /** One of a rounded size alone: its power of two, and the step within that. */
  private static int index(long size) {
    int powerOfTwo = Long.SIZE - 1 - Long.numberOfLeadingZeros(size | 1);
    int step = (int) (size >>> Math.max(0, powerOfTwo - STEPS_LOG2)) & (1 << STEPS_LOG2) - 1;
    return powerOfTwo << STEPS_LOG2 | step;
  }
}
