package dev.unroll.io;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The element types of the format, under its names, with their sizes in bits. */
enum DataType {
  BOOL(8),
  F4(4),
  F6_E2M3(6),
  F6_E3M2(6),
  U8(8),
  I8(8),
  F8_E5M2(8),
  F8_E4M3(8),
  F8_E8M0(8),
  F8_E4M3FNUZ(8),
  F8_E5M2FNUZ(8),
  I16(16),
  U16(16),
  F16(16),
  BF16(16),
  I32(32),
  U32(32),
  F32(32),
  C64(64),
  F64(64),
  I64(64),
  U64(64);

  /** The types that {@link #convert} takes, as messages name them. */
  static final String CONVERTIBLE = "F32, F16, BF16 or F64";

  private static final int HALF_EXPONENT_SHIFT = 13; // 23 bits of a float's fraction, 10 of a half's
  private static final int HALF_EXPONENT_BIAS = 127 - 15;

  private final int bits;

  DataType(int bits) {
    this.bits = bits;
  }

  int bits() {
    return bits;
  }

  /** Bytes of an element of a convertible type. */
  int bytes() {
    return bits / Byte.SIZE;
  }

  boolean isConvertible() {
    return this == F32 || this == F16 || this == BF16 || this == F64;
  }

  /**
   * Converts elements of a convertible type: exactly, but for F64, which is rounded.
   *
   * @param from little-endian elements, read from its start
   * @param to where they go
   * @param offset the first index there
   * @param size how many
   */
  void convert(ByteBuffer from, float[] to, int offset, int size) {
    from.order(ByteOrder.LITTLE_ENDIAN);
    switch (this) {
      case F32 -> from.asFloatBuffer().get(to, offset, size);
      case F16 -> {
        for (int i = 0; i < size; i++) {
          to[offset + i] = half(from.getShort(i * Short.BYTES));
        }
      }
      case BF16 -> {
        for (int i = 0; i < size; i++) {
          to[offset + i] = Float.intBitsToFloat(from.getShort(i * Short.BYTES) << Short.SIZE);
        }
      }
      case F64 -> {
        for (int i = 0; i < size; i++) {
          to[offset + i] = (float) from.getDouble(i * Double.BYTES);
        }
      }
      default -> throw new AssertionError(this + " is not convertible");
    }
  }

  /** The value of an IEEE half; Java itself has this conversion from version 20 on. */
  private static float half(short bits) {
    int sign = (bits & 0x8000) << 16;
    int magnitude = bits & 0x7fff;
    int converted;
    if (magnitude >= 0x7c00) {
      converted = 0x7f800000 | magnitude << HALF_EXPONENT_SHIFT;
    } else if (magnitude >= 0x0400) {
      converted = (magnitude << HALF_EXPONENT_SHIFT) + (HALF_EXPONENT_BIAS << 23);
    } else {
      converted = Float.floatToRawIntBits(magnitude * 0x1p-24f);
    }
    return Float.intBitsToFloat(sign | converted);
  }
}
