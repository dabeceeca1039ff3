package dev.unroll.internal;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Keeps the blocks that are given back and hands them out again, so that work which repeats itself allocates nothing
 * after its first round.
 *
 * <p>Sizes are rounded up to one of eight steps per power of two, so that batches of similar size share blocks. Who
 * finds none of the own size gets one of up to twice of it. No more than twice of what was ever in use at once is held:
 * before that, what is free goes back.
 */
public final class Recycler implements MemorySource {
  private static final int STEPS_LOG2 = 3; // of eight steps per power of two
  private static final int STEPS = 1 << STEPS_LOG2;
  private static final long SMALLEST = 512;

  private final Free free = new Free();
  private final Map<Long, Long> larger = new HashMap<>(); // sizes of blocks in use that are larger than asked for
  private long inUse; // bytes that were asked for, rounded up
  private long mostInUse;
  private long held; // bytes of blocks, in use or free
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

    /** Returns how many bytes that were. */
    long release() {
      long bytes = count * size;
      while (count > 0) {
        NativeHeap.free(addresses[--count], size);
      }
      return bytes;
    }
  }

  /** All free blocks; nobody else refers to them when the Cleaner frees those of a forgotten recycler. */
  private static final class Free implements Runnable {
    final Blocks[] ofSize = new Blocks[(Long.SIZE << STEPS_LOG2) + STEPS];

    void push(long address, long size) {
      int index = index(size);
      if (ofSize[index] == null) {
        ofSize[index] = new Blocks(size);
      }
      ofSize[index].push(address);
    }

    /** Returns how many bytes that were. */
    long release() {
      long released = 0;
      for (Blocks blocks : ofSize) {
        released += blocks == null ? 0 : blocks.release();
      }
      return released;
    }

    @Override
    public void run() {
      release();
    }
  }

  /** Creates an empty recycler. */
  public Recycler() {
    Memory.CLEANER.register(this, free);
  }

  @Override
  public long take(long bytes) {
    long size = roundedUp(bytes);
    synchronized (this) {
      if (closed) {
        throw new IllegalStateException("Workspace is closed: expected an open one for new results");
      }
      int index = index(size);
      for (int i = index; i <= index + STEPS; i++) {
        Blocks blocks = free.ofSize[i];
        if (blocks != null && blocks.count > 0) {
          long address = blocks.addresses[blocks.count - 1];
          if (i > index) {
            larger.put(address, blocks.size);
          }
          blocks.count--;
          countUse(size);
          return address;
        }
      }
      long most = Math.max(mostInUse, inUse + size);
      if (held - most > most - size) {
        releaseFree();
      }
    }
    long address = allocate(size);
    synchronized (this) {
      held += size;
      countUse(size);
    }
    return address;
  }

  /** Without the lock, which the Cleaner takes to give blocks back. */
  private long allocate(long size) {
    long address = NativeHeap.allocateAtOnce(size);
    if (address == 0) {
      synchronized (this) {
        releaseFree();
      }
      address = NativeHeap.allocate(size);
    }
    return address;
  }

  private void countUse(long size) {
    inUse += size;
    mostInUse = Math.max(mostInUse, inUse);
  }

  private long releaseFree() {
    long released = free.release();
    held -= released;
    return released;
  }

  @Override
  public synchronized void giveBack(long address, long bytes) {
    long asked = roundedUp(bytes);
    Long known = larger.isEmpty() ? null : larger.remove(address);
    long size = known != null ? known : asked;
    inUse -= asked;
    if (closed || !keeps(address, size)) {
      held -= size;
      NativeHeap.free(address, size);
    }
  }

  /** Not if Java's own memory is at its end. */
  private boolean keeps(long address, long size) {
    try {
      free.push(address, size);
      return true;
    } catch (OutOfMemoryError e) {
      return false;
    }
  }

  /** Frees the blocks that are not in use; those in use are freed when they come back. */
  public synchronized void close() {
    closed = true;
    releaseFree();
  }

  private static long roundedUp(long bytes) {
    long step = Math.max(SMALLEST, Long.highestOneBit(Math.max(bytes, 1)) >> STEPS_LOG2);
    // A size that cannot be rounded up cannot be allocated either, which the heap says.
    return bytes > Long.MAX_VALUE - step ? bytes : (bytes + step - 1) / step * step;
  }

  /** One of a rounded size alone: its power of two, and the step within that. */
  private static int index(long size) {
    int powerOfTwo = Long.SIZE - 1 - Long.numberOfLeadingZeros(size | 1);
    int step = (int) (size >>> Math.max(0, powerOfTwo - STEPS_LOG2)) & STEPS - 1;
    return powerOfTwo << STEPS_LOG2 | step;
  }
}
