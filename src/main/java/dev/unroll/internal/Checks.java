package dev.unroll.internal;

import java.util.List;

/**
 * Argument checks; every message names the argument, its value and what was expected. What has to be put together for a
 * message is so only for one: an {@code if} with {@link #unexpected} where names or expectations are more than constants.
 */
public final class Checks {
  private static final String POSITIVE = "a number above 0, from 1.2e-38 to 3.4e38";

  private Checks() {}

  /**
   * Requires a value.
   *
   * @param <T> the value's type
   * @param name the argument
   * @param value its value
   * @return the value
   * @throws NullPointerException if it is null
   */
  public static <T> T notNull(String name, T value) {
    if (value == null) {
      throw new NullPointerException(name + " is null: expected a value");
    }
    return value;
  }

  /**
   * Requires values, and takes them into an array that nobody else can change: a list may keep the one that it returns.
   *
   * @param <T> the values' type
   * @param name the argument
   * @param values the list
   * @param none an empty array
   * @return the values
   * @throws NullPointerException if the list or a value is null; the message says which
   */
  public static <T> T[] ownCopy(String name, List<T> values, T[] none) {
    T[] own = notNull(name, values).toArray(none).clone();
    for (int i = 0; i < own.length; i++) {
      notNull(name + "[" + i + "]", own[i]);
    }
    return own;
  }

  /**
   * Requires a number of at least 1.
   *
   * @param name the argument
   * @param value its value
   * @return the value
   */
  public static int positive(String name, int value) {
    if (value < 1) {
      throw unexpected(name, value, "1 or more");
    }
    return value;
  }

  /**
   * Requires a number of at least 0.
   *
   * @param name the argument
   * @param value its value
   * @return the value
   */
  public static int notNegative(String name, int value) {
    if (value < 0) {
      throw unexpected(name, value, "0 or more");
    }
    return value;
  }

  /**
   * Requires a number above 0 that is a normal float, as the kernels use it.
   *
   * @param name the argument
   * @param value its value
   * @return the value
   */
  public static double positive(String name, double value) {
    require(isPositive(value), name, value, POSITIVE);
    return value;
  }

  /**
   * Requires 0 or a number above it that is a normal float.
   *
   * @param name the argument
   * @param value its value
   * @return the value, 0 without a sign
   */
  public static double zeroOrPositive(String name, double value) {
    require(value == 0 || isPositive(value), name, value, "0 or " + POSITIVE);
    return value == 0 ? 0 : value;
  }

  private static boolean isPositive(double value) {
    return (float) value >= Float.MIN_NORMAL && (float) value <= Float.MAX_VALUE;
  }

  /**
   * Requires a number in [0, 1).
   *
   * @param name the argument
   * @param value its value
   * @return the value
   */
  public static double fraction(String name, double value) {
    require(value >= 0 && value < 1, name, value, "at least 0 and below 1");
    return value;
  }

  /**
   * Requires an index.
   *
   * @param name the argument
   * @param value its value
   * @param size the number of indices
   * @return the value
   */
  public static int index(String name, int value, int size) {
    if (value < 0 || value >= size) {
      throw unexpected(name, value, "at least 0 and below " + size);
    }
    return value;
  }

  /**
   * Requires an array of indices.
   *
   * @param name the argument
   * @param values the indices
   * @param size how many there are
   * @throws NullPointerException if the array is null
   * @throws IllegalArgumentException if one is not from 0 to {@code size - 1}; the message says where
   */
  public static void indices(String name, int[] values, int size) {
    notNull(name, values);
    for (int i = 0; i < values.length; i++) {
      if (values[i] < 0 || values[i] >= size) {
        throw unexpected(name + "[" + i + "]", values[i], "at least 0 and below " + size);
      }
    }
  }

  /**
   * Requires an exact number.
   *
   * @param name what is counted
   * @param actual its value
   * @param expected the value it must have
   */
  public static void equal(String name, long actual, long expected) {
    if (actual != expected) {
      throw unexpected(name, actual, Long.toString(expected));
    }
  }

  /**
   * Requires a condition.
   *
   * @param condition what must hold
   * @param name the argument
   * @param value its value
   * @param expected what was expected of it
   * @throws IllegalArgumentException if it does not hold
   */
  public static void require(boolean condition, String name, Object value, String expected) {
    if (!condition) {
      throw unexpected(name, value, expected);
    }
  }

  /**
   * Refuses an argument.
   *
   * @param name the argument
   * @param value its value
   * @param expected what was expected of it
   * @return the exception to throw
   */
  public static IllegalArgumentException unexpected(String name, Object value, String expected) {
    return new IllegalArgumentException(name + " is " + value + ": expected " + expected);
  }
}
