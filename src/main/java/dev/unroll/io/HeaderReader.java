package dev.unroll.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * Reads and checks a header. Whatever it claims is compared with the size of the file before anything is allocated for
 * it, so memory is bounded by the bytes that are really there.
 */
final class HeaderReader {
  static final String METADATA = "__metadata__";

  /** The limit of the format's own library. */
  static final int LONGEST = 100_000_000;

  /** What ZIP files begin with. */
  private static final int ZIP = 'P' | 'K' << 8 | 3 << 16 | 4 << 24;

  private static final Comparator<TensorEntry> BY_OFFSET =
      Comparator.comparingLong(TensorEntry::begin).thenComparingLong(TensorEntry::end);

  private final Path file;
  private final long dataSize;
  private final JsonReader json;
  private final List<TensorEntry> tensors = new ArrayList<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();
  private String place = "header";

  private HeaderReader(Path file, String text, long dataSize) {
    this.file = file;
    this.dataSize = dataSize;
    json = new JsonReader(text, this::failure);
  }

  /**
   * Reads a header.
   *
   * @param data the file
   * @return a header that agrees with the size of the file
   * @throws SafeTensorsException if there is none
   */
  static Header read(DataFile data) throws IOException {
    Path file = data.path();
    long size = data.size();
    ByteBuffer start = ByteBuffer.allocate(Long.BYTES + 1).order(ByteOrder.LITTLE_ENDIAN);
    if (size < start.capacity()) {
      throw new SafeTensorsException(
          file, "size is " + size + " bytes: expected a header's length of 8 bytes, and a header");
    }
    data.read(start, 0);
    if (start.getInt(0) == ZIP) {
      throw new SafeTensorsException(file, "a ZIP file, such as torch.save's: expected a safetensors file");
    }
    long length = start.getLong(0);
    long longest = Math.min(LONGEST, size - Long.BYTES);
    if (length < 1 || length > longest) {
      String found = Long.toUnsignedString(length);
      throw new SafeTensorsException(file, "length of the header is " + found + " bytes: expected 1 to " + longest);
    }
    if (start.get(Long.BYTES) != '{') {
      throw new SafeTensorsException(file, "header begins with byte " + start.get(Long.BYTES) + ": expected '{'");
    }
    ByteBuffer text = ByteBuffer.allocate((int) length);
    data.read(text, Long.BYTES);
    long dataStart = Long.BYTES + length;
    return new HeaderReader(file, decode(file, text.flip()), size - dataStart).read(dataStart);
  }

  private static String decode(Path file, ByteBuffer text) throws SafeTensorsException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(text).toString();
    } catch (CharacterCodingException e) {
      throw new SafeTensorsException(file, "byte " + text.position() + " of the header is wrong: expected UTF-8");
    }
  }

  private SafeTensorsException failure(String problem) {
    return new SafeTensorsException(file, place + ": " + problem);
  }

  private Header read(long dataStart) throws SafeTensorsException {
    json.object(this::entry);
    json.end();
    tensors.sort(BY_OFFSET);
    checkCoverage();
    Map<String, TensorEntry> named = new LinkedHashMap<>();
    tensors.forEach(tensor -> named.put(tensor.name(), tensor));
    return new Header(named, Collections.unmodifiableMap(metadata), dataStart);
  }

  private void entry(String name) throws SafeTensorsException {
    if (name.equals(METADATA)) {
      place = METADATA;
      json.object(key -> metadata.put(key, json.string()));
    } else {
      place = "tensor " + JsonText.shown(name);
      Fields fields = new Fields();
      json.object(fields::read);
      tensors.add(fields.checked(name));
    }
    place = "header";
  }

  /** As the format demands: every byte of the data belongs to exactly one tensor. */
  private void checkCoverage() throws SafeTensorsException {
    long end = 0;
    for (TensorEntry tensor : tensors) {
      if (tensor.begin() != end) {
        place = tensor.label();
        throw failure("data begin at byte " + tensor.begin() + ": expected " + end + ", where those before it end");
      }
      end = tensor.end();
    }
    if (end != dataSize) {
      place = "header";
      throw failure("tensors end at byte " + end + " of the data: expected " + dataSize + ", where the file ends");
    }
  }

  /** The fields of one tensor. */
  private final class Fields {
    private DataType type;
    private long[] shape;
    private long[] offsets;

    void read(String key) throws SafeTensorsException {
      switch (key) {
        case "dtype" -> type = type(json.string());
        case "shape" -> shape = numbers();
        case "data_offsets" -> offsets = numbers();
        default -> throw failure("key is " + JsonText.shown(key) + ": expected dtype, shape or data_offsets");
      }
    }

    private DataType type(String name) throws SafeTensorsException {
      for (DataType known : DataType.values()) {
        if (known.name().equals(name)) {
          return known;
        }
      }
      throw failure("dtype is " + JsonText.shown(name) + ": expected one of " + List.of(DataType.values()));
    }

    private long[] numbers() throws SafeTensorsException {
      LongStream.Builder numbers = LongStream.builder();
      json.array(() -> numbers.add(json.wholeNumber()));
      return numbers.build().toArray();
    }

    TensorEntry checked(String name) throws SafeTensorsException {
      if (type == null || shape == null || offsets == null) {
        throw failure("a key is missing: expected dtype, shape and data_offsets");
      }
      if (offsets.length != 2 || offsets[0] > offsets[1] || offsets[1] > dataSize) {
        String found = Shape.shown(offsets);
        throw failure("data_offsets are " + found + ": expected [begin, end] with begin <= end <= " + dataSize);
      }
      long bits = bits();
      if (bits % Byte.SIZE != 0 || bits / Byte.SIZE != offsets[1] - offsets[0]) {
        String found = offsets[1] - offsets[0] + " bytes";
        throw failure("data_offsets span " + found + ": expected " + bits + " bits for " + type + Shape.shown(shape));
      }
      return new TensorEntry(name, type, shape, offsets[0], offsets[1]);
    }

    private long bits() throws SafeTensorsException {
      try {
        return Math.multiplyExact(Shape.size(shape), (long) type.bits());
      } catch (ArithmeticException e) {
        throw failure("shape is " + Shape.shown(shape) + ": expected a size below 2^63 bits");
      }
    }
  }
}
