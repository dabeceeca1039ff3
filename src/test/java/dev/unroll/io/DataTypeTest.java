package dev.unroll.io;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;

/** Conversions against the definition of the formats: sign, exponent and fraction as numbers. */
class DataTypeTest {
  private static final int PATTERNS = 1 << 16;

  @Test
  void everyHalfIsConvertedExactly() {
    compare(DataType.F16, bits -> value(bits, 5, 10));
  }

  @Test
  void everyBrainFloatIsConvertedExactly() {
    compare(DataType.BF16, bits -> value(bits, 8, 7));
  }

  /** IEEE 754, 3.4: the value of a sign, an exponent and a fraction of the given widths. */
  private static double value(int bits, int exponentWidth, int fractionWidth) {
    double sign = bits >> exponentWidth + fractionWidth == 0 ? 1 : -1;
    int exponent = bits >> fractionWidth & (1 << exponentWidth) - 1;
    double fraction = (bits & (1 << fractionWidth) - 1) / Math.pow(2, fractionWidth);
    int bias = (1 << exponentWidth - 1) - 1;
    if (exponent == (1 << exponentWidth) - 1) {
      return fraction == 0 ? sign * Double.POSITIVE_INFINITY : Double.NaN;
    }
    return exponent == 0
        ? sign * fraction * Math.pow(2, 1 - bias)
        : sign * (1 + fraction) * Math.pow(2, exponent - bias);
  }

  private static void compare(DataType type, IntToDoubleFunction expected) {
    ByteBuffer bytes = ByteBuffer.allocate(PATTERNS * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int bits = 0; bits < PATTERNS; bits++) {
      bytes.putShort((short) bits);
    }
    float[] values = new float[PATTERNS];
    type.convert(bytes.flip(), values, 0, PATTERNS);
    for (int bits = 0; bits < PATTERNS; bits++) {
      // Double.compare tells the zeros apart, and takes every NaN for the same.
      double difference = Double.compare(expected.applyAsDouble(bits), values[bits]);
      assertEquals(0, difference, "bits " + Integer.toHexString(bits) + " became " + values[bits]);
    }
  }

  @Test
  void doublesAreRoundedToTheNearestFloat() {
    double[] doubles = {1, -0.0, 0.1, 1e300, -1e300, 1e-46, 1e-300, 16777217, Double.NaN, Double.NEGATIVE_INFINITY};
    ByteBuffer bytes = ByteBuffer.allocate(doubles.length * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (double value : doubles) {
      bytes.putDouble(value);
    }
    float[] values = new float[doubles.length + 1];
    DataType.F64.convert(bytes.flip(), values, 1, doubles.length);
    float infinity = Float.POSITIVE_INFINITY;
    float[] expected = {1, -0.0f, 0.1f, infinity, -infinity, 0, 0, 16777216, Float.NaN, -infinity};
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], values[i + 1]);
    }
  }
}
