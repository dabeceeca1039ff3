package dev.unroll.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;

/** A file that any number of threads read; it stays open if one is interrupted. */
final class DataFile implements AutoCloseable {
  private final Path path;
  private final Identity identity;
  private FileChannel channel;
  private boolean closed;

  /** What tells a file from another of the same path; the key is null where there are none. */
  private record Identity(Object key, FileTime modified, long size) {
    static Identity of(Path path) throws IOException {
      BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
      return new Identity(attributes.fileKey(), attributes.lastModifiedTime(), attributes.size());
    }
  }

  /** Opens a file. */
  DataFile(Path path) throws IOException {
    this.path = path;
    identity = Identity.of(path); // before it is opened: one that takes its place meanwhile is another one
    channel = FileChannel.open(path, StandardOpenOption.READ);
  }

  Path path() {
    return path;
  }

  long size() throws IOException {
    long[] size = new long[1];
    Uninterrupted.run(() -> size[0] = channel().size());
    return size[0];
  }

  /** Requires that the file is open. */
  synchronized void checkOpen() {
    if (closed) {
      throw new IllegalStateException(path + " is closed: expected an open one");
    }
  }

  private synchronized FileChannel channel() throws IOException {
    checkOpen();
    if (!channel.isOpen()) {
      channel = reopened();
    }
    return channel;
  }

  private FileChannel reopened() throws IOException {
    FileChannel again = FileChannel.open(path, StandardOpenOption.READ);
    boolean same = false;
    try {
      same = identity.equals(Identity.of(path));
    } finally {
      if (!same) {
        again.close();
      }
    }
    if (!same) {
      throw new SafeTensorsException(path, "another file, when a reading thread was interrupted: expected the same");
    }
    return again;
  }

  /** Fills a buffer from a position of the file on. */
  void read(ByteBuffer to, long position) throws IOException {
    long end = position + to.remaining();
    Uninterrupted.run(
        () -> {
          while (to.hasRemaining()) {
            if (channel().read(to, end - to.remaining()) < 0) {
              String found = "file ends at byte " + (end - to.remaining());
              throw new SafeTensorsException(path, found + ": expected " + end + " bytes, as when it was opened");
            }
          }
        });
  }

  @Override
  public synchronized void close() throws IOException {
    closed = true;
    channel.close();
  }
}
