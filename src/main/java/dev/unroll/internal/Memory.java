package dev.unroll.internal;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One block of off-heap memory with one owner.
 *
 * <p>Work that hands the address to native code pins the block first (see {@link Lease}): closing it meanwhile makes
 * every later use fail, and frees the memory when the last pin is gone. A block that is forgotten is freed by a
 * Cleaner.
 */
public final class Memory implements AutoCloseable {
  static final Cleaner CLEANER = Cleaner.create();

  private final MemorySource results;
  private final Block block;
  private final Cleaner.Cleanable forgotten;
  private final String owner;

  private Memory(MemorySource results, MemorySource source, long bytes, String owner) {
    this.results = results;
    this.owner = owner;
    // Registered first: whatever fails, a block that was taken has somebody to give it back.
    block = new Block(source, bytes);
    forgotten = CLEANER.register(this, block);
    block.take();
    Reference.reachabilityFence(this);
  }

  /**
   * Allocates zeroed memory.
   *
   * @param bytes its size
   * @param owner how messages name the object that owns it
   * @return the memory
   */
  public static Memory zeroed(long bytes, String owner) {
    return new Memory(MemorySource.SYSTEM, MemorySource.SYSTEM, bytes, owner);
  }

  /**
   * Allocates memory of undefined content.
   *
   * @param source where from
   * @param bytes its size
   * @param owner how messages name the object that owns it
   * @return the memory
   */
  public static Memory from(MemorySource source, long bytes, String owner) {
    return new Memory(source, source, bytes, owner);
  }

  /**
   * Uses memory that is somebody else's.
   *
   * @param lender what provides one block of it, and is kept as long as the memory is in use
   * @param results where results that belong with it take theirs from
   * @param bytes its size
   * @param owner how messages name the object that uses it
   * @return the memory
   */
  static Memory borrowed(MemorySource lender, MemorySource results, long bytes, String owner) {
    return new Memory(results, lender, bytes, owner);
  }

  /**
   * Makes a block of no bytes that stands for others: while it is open or pinned, none of them is freed.
   *
   * @param members the others; they are closed on their own
   * @param owner how messages name the object that owns them
   * @return what stands for them
   * @throws IllegalStateException if one of them is closed
   */
  static Memory together(List<Memory> members, String owner) {
    return new Memory(MemorySource.SYSTEM, new Together(List.copyOf(members)), 0, owner);
  }

  /** Pins all of them as long as the block is in use. */
  private record Together(List<Memory> members) implements MemorySource {
    @Override
    public long take(long bytes) {
      int pins = 0;
      try {
        while (pins < members.size()) {
          members.get(pins).pin();
          pins++;
        }
      } finally {
        if (pins < members.size()) {
          members.subList(0, pins).forEach(Memory::unpin);
        }
      }
      return 0;
    }

    @Override
    public void giveBack(long address, long bytes) {
      members.forEach(Memory::unpin);
    }
  }

  /**
   * Returns where results that belong with this memory take theirs from: where this came from, unless it is borrowed.
   *
   * @return the source
   */
  public MemorySource source() {
    return results;
  }

  /**
   * Returns the size.
   *
   * @return bytes
   */
  public long bytes() {
    return block.bytes;
  }

  /**
   * Tells whether {@link #close} was called.
   *
   * @return true if so
   */
  public boolean isClosed() {
    return block.state.get() < 0;
  }

  /** Requires that the memory is open. */
  public void checkOpen() {
    if (isClosed()) {
      throw closedException();
    }
  }

  /**
   * Keeps the memory until {@link #unpin}.
   *
   * @return its address
   * @throws IllegalStateException if it is closed; the message names the owner
   */
  long pin() {
    if (!block.pin()) {
      throw closedException();
    }
    return block.address;
  }

  /** Undoes one {@link #pin}. */
  void unpin() {
    block.unpin();
  }

  /** Ends the use of this memory; calling it again does nothing. */
  @Override
  public void close() {
    forgotten.clean();
  }

  private IllegalStateException closedException() {
    return new IllegalStateException(owner + " is closed: expected an open one");
  }

  /** What the Cleaner needs; it must not refer to the Memory. */
  private static final class Block implements Runnable {
    final MemorySource source;
    final long bytes;
    long address; // written before the state says that it is open

    /** Open with n pins: n. Closed with n pins left: -1 - n; memory is given back on reaching -1, where it begins. */
    final AtomicInteger state = new AtomicInteger(-1);

    Block(MemorySource source, long bytes) {
      this.source = source;
      this.bytes = bytes;
    }

    void take() {
      address = source.take(bytes);
      state.set(0);
    }

    boolean pin() {
      for (int pins = state.get(); pins >= 0; pins = state.get()) {
        if (state.compareAndSet(pins, pins + 1)) {
          return true;
        }
      }
      return false;
    }

    void unpin() {
      int after = state.updateAndGet(s -> s >= 0 ? s - 1 : s + 1);
      if (after == -1) {
        source.giveBack(address, bytes);
      }
    }

    /** Closes the block: called once, by {@link Memory#close} or by the Cleaner. */
    @Override
    public void run() {
      int after = state.updateAndGet(s -> -1 - s);
      if (after == -1) {
        source.giveBack(address, bytes);
      }
    }
  }
}
