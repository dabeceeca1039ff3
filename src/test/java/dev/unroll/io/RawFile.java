package dev.unroll.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files put together by hand, right or wrong. */
final class RawFile {
  private RawFile() {}

  /** The bytes of a file of this header, and of data that count up from 1. */
  static byte[] bytes(String header, int dataSize) {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    return bytes(text.length, text, dataSize);
  }

  static byte[] bytes(long claimedLength, byte[] header, int dataSize) {
    ByteBuffer file = ByteBuffer.allocate(Long.BYTES + header.length + dataSize).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(claimedLength).put(header);
    for (int i = 1; i <= dataSize; i++) {
      file.put((byte) i);
    }
    return file.array();
  }

  static Path write(Path folder, byte[] bytes) throws IOException {
    return Files.write(folder.resolve("raw.safetensors"), bytes);
  }

  static Path write(Path folder, String header, int dataSize) throws IOException {
    return write(folder, bytes(header, dataSize));
  }

  /** Writes one tensor as a header describes it. */
  static String tensor(String name, String type, String shape, String offsets) {
    return "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}".formatted(name, type, shape, offsets);
  }
}
