package dev.unroll.internal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The memory that one piece of native work uses: pinned while the lease is open, so that it can neither be freed nor
 * collected under the native code.
 */
public final class Lease implements AutoCloseable {
  private static final int FEW = 16;

  private Memory[] pinned = new Memory[FEW];
  private int pins;
  private List<AutoCloseable> results = List.of();
  private List<Temporary> temporaries = List.of();

  /** Memory that goes back to where it came from; its address is 0 until it is taken. */
  private static final class Temporary {
    final MemorySource source;
    final long bytes;
    long address;

    Temporary(MemorySource source, long bytes) {
      this.source = source;
      this.bytes = bytes;
    }
  }

  /** Creates a lease of nothing yet. */
  public Lease() {}

  /**
   * Pins a block.
   *
   * @param memory the block
   * @return its address
   * @throws IllegalStateException if it is closed; the message names the owner
   */
  public long address(Memory memory) {
    if (pins == pinned.length) {
      pinned = Arrays.copyOf(pinned, 2 * pins);
    }
    long address = memory.pin();
    pinned[pins++] = memory;
    return address;
  }

  /**
   * Pins a block unless there is none.
   *
   * @param memory the block, or null
   * @return its address, or 0 for null
   */
  public long addressOrNull(Memory memory) {
    return memory == null ? 0 : address(memory);
  }

  /**
   * Makes one block that stands for all that are pinned.
   *
   * @param owner how messages name the object that owns them
   * @return see {@link Memory#together}
   */
  public Memory together(String owner) {
    return Memory.together(Arrays.asList(pinned).subList(0, pins), owner);
  }

  /**
   * Takes a result of the work, to close it if the work fails.
   *
   * @param <T> its type
   * @param result what the work fills
   * @return the result
   */
  public <T extends AutoCloseable> T result(T result) {
    if (results.isEmpty()) {
      results = new ArrayList<>();
    }
    results.add(result);
    return result;
  }

  /**
   * Provides memory that only the work needs, and gives it back when the lease ends.
   *
   * @param source where from
   * @param bytes its size
   * @return its address; its content is not defined
   */
  public long temporary(MemorySource source, long bytes) {
    if (temporaries.isEmpty()) {
      temporaries = new ArrayList<>();
    }
    Temporary temporary = new Temporary(source, bytes);
    temporaries.add(temporary); // first: whatever fails, a block that was taken has somebody to give it back
    temporary.address = source.take(bytes);
    return temporary.address;
  }

  /**
   * Ends the work with success: its results are the caller's.
   *
   * @param <T> the type of what it returns
   * @param value what it returns
   * @return the same
   */
  public <T> T done(T value) {
    results = List.of();
    return value;
  }

  /** Releases everything that was pinned, and closes the results of work that failed. */
  @Override
  public void close() {
    while (pins > 0) { // and forgotten, for a lease that lives on is to keep no memory from the collector
      pinned[pins - 1].unpin();
      pinned[--pins] = null;
    }
    for (int i = 0; i < temporaries.size(); i++) { // an iterator would be the only allocation of a single step
      Temporary temporary = temporaries.get(i);
      if (temporary.address != 0) {
        temporary.source.giveBack(temporary.address, temporary.bytes);
      }
    }
    temporaries = List.of();
    for (int i = 0; i < results.size(); i++) {
      try {
        results.get(i).close();
      } catch (Exception e) {
        throw new AssertionError("closing memory throws nothing", e);
      }
    }
    results = List.of();
  }
}
