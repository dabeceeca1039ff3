package dev.unroll.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.util.Set;

/** A file that is written from its beginning to its end; what interrupts that costs a part of it, not all. */
final class NewFile implements AutoCloseable {
  private static final Set<StandardOpenOption> NEW = Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);

  private final Path path;
  private FileChannel channel; // closed by an interruption
  private long end;

  NewFile(Path path, FileAttribute<?>... attributes) throws IOException {
    this.path = path;
    channel = FileChannel.open(path, NEW, attributes);
  }

  void write(ByteBuffer from) throws IOException {
    int first = from.position();
    long begin = end;
    while (end - begin < from.limit() - first) {
      Uninterrupted.run(() -> {
        ByteBuffer rest = from.duplicate().position(first + (int) (end - begin));
        end += open().write(rest, end);
      });
    }
  }

  /** A crash of the machine must not leave the name with missing data. */
  void force() throws IOException {
    Uninterrupted.run(() -> open().force(true));
  }

  private FileChannel open() throws IOException {
    if (!channel.isOpen()) {
      channel = FileChannel.open(path, StandardOpenOption.WRITE);
    }
    return channel;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
