package dev.unroll;

import dev.unroll.internal.MemorySource;
import dev.unroll.internal.Recycler;

/**
 * Keeps the memory of closed batches and results for the next ones. Batches made with a workspace pass it on to
 * everything that is computed from them, so a training loop that closes its results and repeats their sizes allocates
 * no native memory after its first round. What is kept and what is in use are together at most twice, rounded up by an
 * eighth, of what was ever in use at once.
 *
 * <p>Safe for use by several threads. Close it when the work is done; results that are still open stay valid.
 */
public final class Workspace implements AutoCloseable {
  private final Recycler recycler = new Recycler();

  /** Creates an empty workspace. */
  public Workspace() {}

  /**
   * Returns the source that results take their memory from.
   *
   * @return the source
   * @hidden
   */
  public MemorySource source() {
    return recycler;
  }

  /** Frees the memory that is not in use. New results that would need this workspace get an IllegalStateException. */
  @Override
  public void close() {
    recycler.close();
  }
}
