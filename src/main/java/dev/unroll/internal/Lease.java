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

  /** Memory that goes back to where it came from. */
  private record Temporary(MemorySource source, long address, long bytes) {}

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
    Temporary taken = new Temporary(source, source.take(bytes), bytes);
    temporaries.add(taken);
    return taken.address;
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
      Memory memory = pinned[--pins];
      pinned[pins] = null;
      memory.unpin();
    }
    for (int i = 0; i < temporaries.size(); i++) { // an iterator would be the only allocation of a single step
      Temporary taken = temporaries.get(i);
      taken.source.giveBack(taken.address, taken.bytes);
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
