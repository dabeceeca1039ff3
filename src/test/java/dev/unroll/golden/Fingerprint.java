package dev.unroll.golden;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** The beginning of the SHA-256 of the bits of numbers. The payload and sign of a NaN do not count. */
final class Fingerprint {
  private static final int BYTES = 8;

  private final MessageDigest digest;

  Fingerprint() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    }
  }

  void add(float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES);
    for (float value : values) {
      bytes.putInt(Float.floatToIntBits(value));
    }
    digest.update(bytes.array());
  }

  void add(float[][] rows) {
    for (float[] row : rows) {
      add(row);
    }
  }

  void add(double value) {
    digest.update(ByteBuffer.allocate(Double.BYTES).putLong(Double.doubleToLongBits(value)).array());
  }

  @Override
  public String toString() {
    return HexFormat.of().formatHex(digest.digest(), 0, BYTES);
  }
}
