package dev.unroll.layer;

/**
 * Whether a pass packs the weights. To pack them takes twice as long as to multiply one row by them, so weights that have
 * changed are used once as they are, and packed only when they come again.
 */
final class PackingChoice {
  /** Each of them reads all weights. */
  private static final int MOST_ROWS = 2;

  private volatile long packed = -1; // in a model that serves the only field that is read
  private long usedPlain = -1;

  /**
   * Chooses for one pass, and remembers it.
   *
   * @param version of the weights
   * @param rows of the batch
   * @return whether the pass reads the weights as they are
   */
  boolean choosePlain(long version, int rows) {
    return version != packed && chooseForChanged(version, rows);
  }

  private synchronized boolean chooseForChanged(long version, int rows) {
    if (rows > MOST_ROWS || version == usedPlain) {
      packed = version;
      return false;
    }
    usedPlain = version;
    return true;
  }
}
