package dev.unroll.layer;

import dev.unroll.sequence.SequenceLayout;

/**
 * Whether a pass packs the weights. To pack them takes twice as long as a single step of few sequences, so weights that
 * have changed are used once as they are, and packed only when they come again.
 */
final class PackingChoice {
  /** Each of them reads all weights. */
  private static final int MOST_SEQUENCES = 2;

  private long usedPlain = -1;
  private long packed = -1;

  /**
   * Chooses for one pass.
   *
   * @param version of the weights
   * @param layout of the batch
   * @return whether the pass reads the weights as they are
   */
  synchronized boolean plain(long version, SequenceLayout layout) {
    boolean once = layout.steps() <= 1 && layout.sequences() <= MOST_SEQUENCES;
    if (!once || version == packed || version == usedPlain) {
      packed = version;
      return false;
    }
    usedPlain = version;
    return true;
  }
}
