package dev.unroll.internal;

import java.util.ArrayList;
import java.util.List;

/**
 * The memory that one piece of native work uses: pinned while the lease is open, so that it can neither be freed nor
 * collected under the native code.
 */
public final class Lease implements AutoCloseable {
  private final List<Memory> pinned = new ArrayList<>();
  private final List<AutoCloseable> results = new ArrayList<>();
  private final List<Memory> temporaries = new ArrayList<>();

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
    long address = memory.pin();
    pinned.add(memory);
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
   * Takes a result of the work, to close it if the work fails.
   *
   * @param <T> its type
   * @param result what the work fills
   * @return the result
   */
  public <T extends AutoCloseable> T result(T result) {
    results.add(result);
    return result;
  }

  /**
   * Takes memory that only the work needs, to close it with the lease.
   *
   * @param memory work space
   * @return the same
   */
  public Memory temporary(Memory memory) {
    temporaries.add(memory);
    return memory;
  }

  /**
   * Ends the work with success: its results are the caller's.
   *
   * @param <T> the type of what it returns
   * @param value what it returns
   * @return the same
   */
  public <T> T done(T value) {
    results.clear();
    return value;
  }

  /** Releases everything that was pinned, and closes the results of work that failed. */
  @Override
  public void close() {
    for (int i = 0; i < pinned.size(); i++) { // an iterator would be the only allocation of a single step
      pinned.get(i).unpin();
    }
    pinned.clear();
    for (int i = 0; i < temporaries.size(); i++) {
      temporaries.get(i).close();
    }
    temporaries.clear();
    for (int i = 0; i < results.size(); i++) {
      try {
        results.get(i).close();
      } catch (Exception e) {
        throw new AssertionError("closing memory throws nothing", e);
      }
    }
    results.clear();
  }
}
