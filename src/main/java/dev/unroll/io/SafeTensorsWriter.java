package dev.unroll.io;

import dev.unroll.internal.Checks;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.UUID;

/** Writes one file, laid out as by the format's own library: tensors by name, the header padded to whole 8 bytes. */
final class SafeTensorsWriter {
  private static final int CHUNK = 1 << 16;

  /** The order of bytes in UTF-8, not that of chars, in which surrogates come before others. */
  private static final Comparator<String> BY_BYTES =
      (a, b) -> Arrays.compareUnsigned(a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));

  private final Map<String, Tensor> tensors = new TreeMap<>(BY_BYTES);
  private final Map<String, String> metadata = new TreeMap<>(BY_BYTES);
  private final byte[] header;

  SafeTensorsWriter(Map<String, Tensor> tensors, Map<String, String> metadata) {
    Checks.notNull("tensors", tensors).forEach((name, tensor) -> {
      checkText("name", name);
      Checks.require(!name.equals(HeaderReader.METADATA), "name", name, "another one: the format keeps it for itself");
      this.tensors.put(name, Checks.notNull("tensor " + JsonText.shown(name), tensor));
    });
    Checks.notNull("metadata", metadata).forEach((key, value) -> {
      checkText("key of metadata", key);
      checkText("metadata " + JsonText.shown(key), value);
      this.metadata.put(key, value);
    });
    header = header().getBytes(StandardCharsets.UTF_8);
    int length = paddedLength();
    Checks.require(length <= HeaderReader.LONGEST, "length of the header", length, "at most " + HeaderReader.LONGEST);
  }

  private static void checkText(String what, String text) {
    boolean valid = StandardCharsets.UTF_8.newEncoder().canEncode(Checks.notNull(what, text));
    Checks.require(valid, what, JsonText.shown(text), "surrogates in pairs");
  }

  private String header() {
    StringJoiner entries = new StringJoiner(",", "{", "}");
    if (!metadata.isEmpty()) {
      StringJoiner pairs = new StringJoiner(",", "{", "}");
      metadata.forEach((key, value) -> pairs.add(JsonText.quoted(key) + ":" + JsonText.quoted(value)));
      entries.add(JsonText.quoted(HeaderReader.METADATA) + ":" + pairs);
    }
    long begin = 0;
    for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
      long end = begin + (long) entry.getValue().size() * Float.BYTES;
      entries.add(JsonText.quoted(entry.getKey()) + ":" + description(entry.getValue(), begin, end));
      begin = end;
    }
    return entries.toString();
  }

  private static String description(Tensor tensor, long begin, long end) {
    StringJoiner shape = new StringJoiner(",", "[", "]");
    for (long dimension : tensor.shape()) {
      shape.add(Long.toString(dimension));
    }
    return "{\"dtype\":\"F32\",\"shape\":" + shape + ",\"data_offsets\":[" + begin + "," + end + "]}";
  }

  private int paddedLength() {
    return header.length + Math.floorMod(-header.length, Long.BYTES);
  }

  /** Writes the file in whole or not at all. */
  void write(Path file) throws IOException {
    boolean replaces = Files.exists(file);
    if (replaces && !Files.isRegularFile(file)) {
      String found = Files.isDirectory(file) ? "a folder" : "not a regular file";
      throw new SafeTensorsException(file, found + ": expected a file or nothing");
    }
    Path folder = file.toAbsolutePath().getParent();
    if (!Files.isDirectory(folder)) {
      throw new NoSuchFileException(file.toString(), null, "no folder " + folder + ": expected one to write to");
    }
    Path temporary = folder.resolve(".unroll-" + UUID.randomUUID() + ".tmp");
    Set<PosixFilePermission> permissions = replaces ? permissions(file) : null;
    try {
      writeAll(temporary, permissions);
      if (permissions != null) {
        Files.setPosixFilePermissions(temporary, permissions);
      }
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /** Null where there are none. */
  private static Set<PosixFilePermission> permissions(Path file) throws IOException {
    PosixFileAttributeView view = Files.getFileAttributeView(file, PosixFileAttributeView.class);
    return view == null ? null : view.readAttributes().permissions();
  }

  /** Nobody may read what is being written who might not read what it takes the place of. */
  private static FileAttribute<?>[] attributes(Set<PosixFilePermission> permissions) {
    if (permissions == null) {
      return new FileAttribute<?>[0];
    }
    Set<PosixFilePermission> meanwhile = EnumSet.of(PosixFilePermission.OWNER_WRITE); // to go on after an interruption
    meanwhile.addAll(permissions);
    return new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(meanwhile)};
  }

  private void writeAll(Path file, Set<PosixFilePermission> permissions) throws IOException {
    try (NewFile output = new NewFile(file, attributes(permissions))) {
      output.write(start());
      ByteBuffer chunk = ByteBuffer.allocate(CHUNK).order(ByteOrder.LITTLE_ENDIAN);
      for (Tensor tensor : tensors.values()) {
        write(output, tensor.content(), chunk);
      }
      output.force();
    }
  }

  private ByteBuffer start() {
    ByteBuffer start = ByteBuffer.allocate(Long.BYTES + paddedLength()).order(ByteOrder.LITTLE_ENDIAN);
    start.putLong(paddedLength()).put(header);
    while (start.hasRemaining()) {
      start.put((byte) ' ');
    }
    return start.flip();
  }

  private static void write(NewFile output, float[] values, ByteBuffer chunk) throws IOException {
    for (int done = 0; done < values.length; ) {
      int size = Math.min(CHUNK / Float.BYTES, values.length - done);
      chunk.clear().asFloatBuffer().put(values, done, size);
      output.write(chunk.limit(size * Float.BYTES));
      done += size;
    }
  }
}
