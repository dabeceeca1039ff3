package dev.unroll.bench;

/**
 * What a worker found out about a contender.
 *
 * @param seconds of the fastest call or, of calls that are not timed one by one, the mean of the fastest iteration; NaN
 *     if the contender was not timed
 * @param bytes of Java heap that one operation allocated; NaN if not measured
 * @param refusal why the contender was not timed, else empty
 */
record Measurement(String contender, double seconds, double bytes, String refusal) {
  private static final String PREFIX = "@measurement\t";

  /** The faster of two of one contender; the one that was not timed, if there is one. */
  Measurement better(Measurement other) {
    return !other.isTimed() || other.seconds < seconds ? other : this;
  }

  boolean isTimed() {
    return !Double.isNaN(seconds);
  }

  @Override
  public String toString() {
    return PREFIX + contender + "\t" + seconds + "\t" + bytes + "\t" + refusal.replaceAll("\\s+", " ");
  }

  /** Whether a line that a worker printed is one of these. */
  static boolean matches(String line) {
    return line.startsWith(PREFIX);
  }

  /** Reads what {@link #toString} writes. */
  static Measurement parse(String line) {
    String[] fields = line.substring(PREFIX.length()).split("\t", -1);
    return new Measurement(fields[0], Double.parseDouble(fields[1]), Double.parseDouble(fields[2]), fields[3]);
  }
}
