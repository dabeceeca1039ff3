package dev.unroll.internal;

/** Keeps the random numbers of different uses apart: a use is a purpose of the counter-based generator. */
public final class RandomPurpose {
  /** Drawing tokens; initial weights use the parameter's place in its layer, from 0. */
  public static final long SAMPLING = 1L << 32;

  private RandomPurpose() {}
}
