package dev.unroll;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.function.Executable;

/** What tests of refused calls and of bits have in common. */
public final class Expect {
  private Expect() {}

  /**
   * Makes one line of a table of refused calls.
   *
   * @param name the behaviour
   * @param type the exact type of what is thrown
   * @param call what must be refused
   * @param mentioned what the message must contain
   * @return the test
   */
  public static DynamicTest refusal(
      String name, Class<? extends Throwable> type, Executable call, String... mentioned) {
    return DynamicTest.dynamicTest(name, () -> refused(type, call, mentioned));
  }

  /**
   * Requires that a call is refused.
   *
   * @param type the exact type of what is thrown
   * @param call what must be refused
   * @param mentioned what the message must contain
   */
  public static void refused(Class<? extends Throwable> type, Executable call, String... mentioned) {
    Throwable thrown = thrownBy(call);
    assertNotNull(thrown, () -> "expected " + type.getName() + ", but nothing was thrown");
    assertSame(type, thrown.getClass(), thrown::toString);
    String message = String.valueOf(thrown.getMessage());
    for (String part : mentioned) {
      assertTrue(message.contains(part), () -> "expected <" + part + "> in: " + message);
    }
  }

  /** JUnit's own assertions would end the whole run at an OutOfMemoryError. */
  private static Throwable thrownBy(Executable call) {
    try {
      call.execute();
      return null;
    } catch (Throwable thrown) {
      return thrown;
    }
  }

  /**
   * Requires that a call that is refused leaves no native memory behind. What the Cleaner frees meanwhile may hide a
   * leak, but never looks like one.
   *
   * @param type the exact type of what is thrown
   * @param call what must be refused
   */
  public static void refusedWithoutLeak(Class<? extends Throwable> type, Executable call) {
    long before = Unroll.liveBytes();
    refused(type, call);
    long after = Unroll.liveBytes();
    assertTrue(after <= before, () -> after - before + " bytes are live after the refused call");
  }

  /**
   * Requires the same bits, NaN payloads and the sign of zero included.
   *
   * @param expected rows of values
   * @param actual rows of values
   */
  public static void sameBits(float[][] expected, float[][] actual) {
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      assertArrayEquals(bits(expected[i]), bits(actual[i]), "bits of row " + i);
    }
  }

  /**
   * Requires the same bits, NaN payloads and the sign of zero included.
   *
   * @param expected tables of rows of values
   * @param actual tables of rows of values
   */
  public static void sameBits(float[][][] expected, float[][][] actual) {
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      sameBits(expected[i], actual[i]);
    }
  }

  /**
   * Returns the bits of floats.
   *
   * @param values floats
   * @return their bits, NaN payloads included
   */
  public static int[] bits(float[] values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(values[i]);
    }
    return bits;
  }
}
