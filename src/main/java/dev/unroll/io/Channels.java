package dev.unroll.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** Whole reads and writes: a channel's own may stop half way. */
final class Channels {
  private Channels() {}

  /** Fills a buffer from a position of the file on. */
  static void read(Path file, FileChannel channel, ByteBuffer to, long position) throws IOException {
    long end = position + to.remaining();
    while (to.hasRemaining()) {
      if (channel.read(to, end - to.remaining()) < 0) {
        String found = "file ends at byte " + (end - to.remaining());
        throw new SafeTensorsException(file, found + ": expected " + end + " bytes, as when it was opened");
      }
    }
  }

  /** Appends the rest of a buffer. */
  static void write(FileChannel channel, ByteBuffer from) throws IOException {
    while (from.hasRemaining()) {
      channel.write(from);
    }
  }
}
