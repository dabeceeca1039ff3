package dev.unroll.internal;

/** Keeps the random numbers of different uses apart: a use is a purpose of the counter-based generator. */
public final class RandomPurpose {
  /** Drawing tokens; initial weights use the parameter's place in its layer, from 0. */
  public static final long SAMPLING = 1L << 32;

  private RandomPurpose() {}

  /**
   * Derives the seed of a part from that of the whole, so that neither parts nor wholes of neighbouring seeds share
   * numbers (SplitMix64: G. L. Steele et al., "Fast splittable pseudorandom number generators", 2014).
   *
   * @param seed of the whole
   * @param part its number
   * @return the seed of the part
   */
  public static long seedOf(long seed, int part) {
    return keyOf(seed, part);
  }

  /**
   * Derives the key of one use of a seed, so that different seeds share none.
   *
   * @param seed of all uses
   * @param use which of them
   * @return the key
   */
  public static long keyOf(long seed, long use) {
    return mix(mix(seed) + use);
  }

  private static long mix(long seed) {
    long z = seed + 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
