package dev.unroll.internal;

import java.util.ArrayList;
import java.util.List;

/**
 * The memory that one piece of native work uses: pinned while the lease is open, so that it can neither be freed nor
 * collected under the native code.
 */
public final class Lease implements AutoCloseable {
  private final List<Memory> pinned = new ArrayList<>();

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

  /** Releases everything that was pinned. */
  @Override
  public void close() {
    for (Memory memory : pinned) {
      memory.unpin();
    }
    pinned.clear();
  }
}
