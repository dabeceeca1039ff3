package dev.unroll.io;

import dev.unroll.internal.Checks;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Set;

/**
 * An open safetensors file: named tensors and a map of strings, as Python's {@code safetensors} library reads and
 * writes them.
 *
 * <p>Opening reads and checks the header alone; {@link #values} reads one tensor. Nothing is allocated from what a file
 * claims before it has been compared with the file's size. Any number of threads may read at once; interrupting one ends
 * no reading or writing. {@link Weights} reads into layers.
 */
public final class SafeTensors implements AutoCloseable {
  private static final int CHUNK = 1 << 16;
  private static final int LARGEST_ARRAY = Integer.MAX_VALUE - 8; // what every JVM can allocate

  private final DataFile data;
  private final Header header;

  private SafeTensors(DataFile data, Header header) {
    this.data = data;
    this.header = header;
  }

  /**
   * Opens a file.
   *
   * @param file its path
   * @return the file; close it after reading
   * @throws NullPointerException if {@code file} is null
   * @throws NoSuchFileException if there is no such file
   * @throws SafeTensorsException if it is malformed or truncated; the message names the file, the tensor, the value
   *     found and what was expected
   * @throws IOException if it cannot be read
   */
  public static SafeTensors open(Path file) throws IOException {
    Checks.notNull("file", file);
    if (!Files.exists(file)) {
      throw new NoSuchFileException(file.toString(), null, "no such file: expected a safetensors file");
    }
    if (!Files.isRegularFile(file)) {
      throw new SafeTensorsException(file, "not a regular file: expected a safetensors file");
    }
    DataFile data = new DataFile(file);
    try {
      return new SafeTensors(data, HeaderReader.read(data));
    } catch (IOException | RuntimeException | Error e) {
      data.close();
      throw e;
    }
  }

  /**
   * Writes a file of F32 tensors. It is written beside its place under another name first, and moved there when it is
   * complete and on the disk: whatever happens, there is the old file or the new one. The same tensors give the same
   * bytes, those of the Python library.
   *
   * @param file its path, in a folder that exists; a file or symbolic link that is there is replaced, and keeps its
   *     permissions
   * @param tensors by name, in any order
   * @param metadata any strings by name; may be empty
   * @throws NullPointerException if an argument, a key or a value is null
   * @throws IllegalArgumentException if a name is {@code __metadata__} or no valid Unicode, or the header would be
   *     longer than 100 MB, the limit of the format
   * @throws IllegalStateException if a tensor's layer is closed
   * @throws NoSuchFileException if there is no such folder
   * @throws SafeTensorsException if there is something else than a file, such as a folder or a device
   * @throws IOException if it cannot be written
   */
  public static void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata) throws IOException {
    new SafeTensorsWriter(tensors, metadata).write(Checks.notNull("file", file));
  }

  /**
   * Returns the path that was opened.
   *
   * @return the path
   */
  public Path file() {
    return data.path();
  }

  /**
   * Returns the names of all tensors, those that cannot be converted included.
   *
   * @return an unmodifiable set in the order of the data
   */
  public Set<String> names() {
    return Collections.unmodifiableSet(header.tensors().keySet());
  }

  /**
   * Returns the file's {@code __metadata__}.
   *
   * @return an unmodifiable map, empty if there is none
   */
  public Map<String, String> metadata() {
    return header.metadata();
  }

  /**
   * Returns the type of a tensor's elements.
   *
   * @param name one of {@link #names()}
   * @return the format's word for it, for example {@code F32}
   * @throws NullPointerException if {@code name} is null
   * @throws IllegalArgumentException if there is no such tensor
   */
  public String dtype(String name) {
    return entry(name).type().name();
  }

  /**
   * Returns the dimensions of a tensor.
   *
   * @param name one of {@link #names()}
   * @return a copy; empty for a single value
   * @throws NullPointerException if {@code name} is null
   * @throws IllegalArgumentException if there is no such tensor
   */
  public long[] shape(String name) {
    return entry(name).shape().clone();
  }

  /**
   * Reads a tensor. F32, F16 and BF16 are converted exactly; F64 is rounded to the nearest float, which is infinite for
   * what is beyond all floats.
   *
   * @param name one of {@link #names()}
   * @return its values, row-major
   * @throws NullPointerException if {@code name} is null
   * @throws IllegalArgumentException if there is no such tensor
   * @throws IllegalStateException if this file is closed
   * @throws SafeTensorsException if its type is another one, if it has more values than an array can have, or if the
   *     file has become shorter
   * @throws IOException if it cannot be read
   */
  public float[] values(String name) throws IOException {
    TensorEntry entry = entry(name);
    data.checkOpen();
    if (!entry.type().isConvertible()) {
      throw new SafeTensorsException(
          file(), entry.label() + ": dtype is " + entry.type() + ": expected " + DataType.CONVERTIBLE);
    }
    if (entry.size() > LARGEST_ARRAY) {
      throw new SafeTensorsException(
          file(), entry.label() + ": size is " + entry.size() + " values: expected at most " + LARGEST_ARRAY);
    }
    return read(entry);
  }

  private float[] read(TensorEntry entry) throws IOException {
    float[] values = new float[(int) entry.size()];
    int width = entry.type().bytes();
    ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(CHUNK, entry.end() - entry.begin()));
    for (int done = 0; done < values.length; ) {
      int size = Math.min(chunk.capacity() / width, values.length - done);
      chunk.clear().limit(size * width);
      data.read(chunk, header.dataStart() + entry.begin() + (long) done * width);
      entry.type().convert(chunk.flip(), values, done, size);
      done += size;
    }
    return values;
  }

  /** Returns the tensors by name. */
  Map<String, TensorEntry> entries() {
    return header.tensors();
  }

  private TensorEntry entry(String name) {
    TensorEntry entry = header.tensors().get(Checks.notNull("name", name));
    if (entry == null) {
      throw Checks.unexpected("name", JsonText.shown(name), "a tensor of " + file() + ", one of " + names());
    }
    return entry;
  }

  /** Ends the reading; names, types, shapes and metadata stay known. Calling it again does nothing. */
  @Override
  public void close() throws IOException {
    data.close();
  }
}
