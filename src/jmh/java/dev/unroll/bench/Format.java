package dev.unroll.bench;

/** Numbers as people read them. */
final class Format {
  private Format() {}

  /** A time in a fitting unit, three digits. */
  static String time(double seconds) {
    if (seconds < 1e-6) {
      return String.format("%.0f ns", seconds * 1e9);
    }
    if (seconds < 1e-3) {
      return digits(seconds * 1e6) + " us";
    }
    return seconds < 1 ? digits(seconds * 1e3) + " ms" : digits(seconds) + " s";
  }

  private static String digits(double value) {
    return String.format(value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value);
  }

  /** A ratio, two digits behind the point. */
  static String ratio(double value) {
    return String.format("%.2f", value);
  }

  /** A share of one, in percent. */
  static String percent(double share) {
    return String.format("%.0f %%", 100 * share);
  }
}
