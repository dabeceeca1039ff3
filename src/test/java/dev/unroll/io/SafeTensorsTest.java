package dev.unroll.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.Expect;
import dev.unroll.layer.Linear;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class SafeTensorsTest {
  /** {@code safetensors.numpy.save} of Python's safetensors 0.8.0; the header ends in three spaces. */
  private static final String PYTHON =
      "9800000000000000"
          + hex("{\"__metadata__\":{\"format\":\"pt\"},"
              + "\"bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
              + "\"weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[4,28]}}   ")
          + "00004040"
          + "0000803f000000c00000003f000000800000807f01000000";

  private static final float[] PYTHON_WEIGHT = {1, -2, 0.5f, -0.0f, Float.POSITIVE_INFINITY, Float.MIN_VALUE};

  @TempDir Path folder;

  private static String hex(String text) {
    return HexFormat.of().formatHex(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static void assertBits(float[] expected, float[] actual) {
    assertArrayEquals(Expect.bits(expected), Expect.bits(actual));
  }

  @Test
  void aFileOfThePythonLibraryIsRead() throws IOException {
    Path path = RawFile.write(folder, HexFormat.of().parseHex(PYTHON));
    try (SafeTensors file = SafeTensors.open(path)) {
      assertEquals(List.of("bias", "weight"), List.copyOf(file.names()));
      assertEquals(Map.of("format", "pt"), file.metadata());
      assertEquals("F32", file.dtype("weight"));
      assertArrayEquals(new long[] {2, 3}, file.shape("weight"));
      assertBits(PYTHON_WEIGHT, file.values("weight"));
      assertBits(new float[] {3}, file.values("bias"));
    }
  }

  @Test
  void theSameTensorsAreWrittenAsThePythonLibraryWritesThem() throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("weight", Tensor.of(PYTHON_WEIGHT, 2, 3));
    tensors.put("bias", Tensor.of(new float[] {3}, 1));
    Path path = folder.resolve("written.safetensors");
    SafeTensors.write(path, tensors, Map.of("format", "pt"));
    assertEquals(PYTHON, HexFormat.of().formatHex(Files.readAllBytes(path)));
  }

  @Test
  void namesOfAnyCharactersAreEscapedAsThePythonLibraryEscapesThem() throws IOException {
    String name = "a\"\\\n\u0001\u00e9\ud83d\ude00/\u007f";
    Path path = folder.resolve("names.safetensors");
    SafeTensors.write(path, Map.of(name, Tensor.of(new float[] {1})), Map.of("k\t", "v"));
    String header =
        "{\"__metadata__\":{\"k\\t\":\"v\"},\"a\\\"\\\\\\n\\u0001\u00e9\ud83d\ude00/\u007f\":"
            + "{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}    ";
    byte[] expected = RawFile.bytes(header, 4);
    System.arraycopy(new byte[] {0, 0, (byte) 0x80, 0x3f}, 0, expected, expected.length - 4, 4);
    assertArrayEquals(expected, Files.readAllBytes(path));
    try (SafeTensors file = SafeTensors.open(path)) {
      assertEquals(List.of(name), List.copyOf(file.names()));
      assertEquals(Map.of("k\t", "v"), file.metadata());
    }
  }

  @Test
  void everyBitIsKeptWhateverTheSizes() throws IOException {
    // One value, none, and sizes on both sides of the 64 KB that are read and written at once.
    long[][] shapes = {{}, {0}, {3, 0, 5}, {1}, {7, 11}, {16383}, {2, 8192}, {16385}, {5, 9973}};
    Random random = new Random(7);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    Map<String, float[]> values = new LinkedHashMap<>();
    for (long[] shape : shapes) {
      float[] some = new float[(int) Shape.size(shape)];
      for (int i = 0; i < some.length; i++) {
        some[i] = Float.intBitsToFloat(random.nextInt());
      }
      values.put("t" + values.size(), some);
      tensors.put("t" + tensors.size(), Tensor.of(some, shape));
    }
    Path path = folder.resolve("bits.safetensors");
    SafeTensors.write(path, tensors, Map.of());
    try (SafeTensors file = SafeTensors.open(path)) {
      assertEquals(values.keySet(), file.names());
      assertEquals(Map.of(), file.metadata());
      for (String name : file.names()) {
        assertArrayEquals(tensors.get(name).shape(), file.shape(name));
        assertBits(values.get(name), file.values(name));
      }
    }
  }

  @Test
  void halfTypesAreConvertedAndOthersOnlyListed() throws IOException {
    String header =
        "{"
            + RawFile.tensor("half", "F16", "[2]", "[8,12]") + ","
            + RawFile.tensor("brain", "BF16", "[1,1]", "[12,14]") + ","
            + RawFile.tensor("steps", "I64", "[1]", "[0,8]") + ","
            + RawFile.tensor("six", "F6_E2M3", "[4]", "[14,17]")
            + "}";
    byte[] bytes = RawFile.bytes(header, 17);
    byte[] data = HexFormat.of().parseHex("0700000000000000" + "003cff7b" + "80bf" + "010203");
    System.arraycopy(data, 0, bytes, bytes.length - data.length, data.length);
    try (SafeTensors file = SafeTensors.open(RawFile.write(folder, bytes))) {
      assertEquals(List.of("steps", "half", "brain", "six"), List.copyOf(file.names()));
      assertBits(new float[] {1, 65504}, file.values("half"));
      assertBits(new float[] {-1}, file.values("brain"));
      assertEquals("I64", file.dtype("steps"));
      assertArrayEquals(new long[] {4}, file.shape("six"));
      Expect.refused(
          SafeTensorsException.class,
          () -> file.values("steps"),
          "raw.safetensors", "\"steps\"", "dtype is I64", "expected F32, F16, BF16 or F64");
    }
  }

  @Test
  void doublesAreRounded() throws IOException {
    byte[] bytes = RawFile.bytes("{" + RawFile.tensor("double", "F64", "[2]", "[0,16]") + "}", 16);
    ByteBuffer data = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    data.putDouble(bytes.length - 16, Math.PI).putDouble(bytes.length - 8, -1e300);
    try (SafeTensors file = SafeTensors.open(RawFile.write(folder, bytes))) {
      assertBits(new float[] {(float) Math.PI, Float.NEGATIVE_INFINITY}, file.values("double"));
    }
  }

  @Test
  void noFileStaysOpen() throws IOException {
    Path good = RawFile.write(folder, RawFile.bytes("{" + RawFile.tensor("a", "F32", "[1]", "[0,4]") + "}", 4));
    Path malformed = Files.write(folder.resolve("malformed"), new byte[20]);
    SafeTensors.open(good).close();
    long before = openFiles();
    for (int i = 0; i < 20; i++) {
      SafeTensors.open(good).close();
      assertThrows(SafeTensorsException.class, () -> SafeTensors.open(malformed));
    }
    assertTrue(openFiles() < before + 20, () -> "files are open that were closed");
  }

  private static long openFiles() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      return files.count();
    }
  }

  @Test
  void aFileOfNoTensorsIsValid() throws IOException {
    Path path = folder.resolve("empty.safetensors");
    SafeTensors.write(path, Map.of(), Map.of());
    assertArrayEquals(RawFile.bytes("{}      ", 0), Files.readAllBytes(path));
    try (SafeTensors file = SafeTensors.open(path)) {
      assertEquals(0, file.names().size());
    }
  }

  @Test
  void anEmptyTensorMayBeginWhereAnotherDoes() throws IOException {
    String header =
        "{" + RawFile.tensor("x", "F32", "[1]", "[0,4]") + "," + RawFile.tensor("none", "F32", "[0]", "[0,0]") + "}";
    try (SafeTensors file = SafeTensors.open(RawFile.write(folder, header, 4))) {
      assertEquals(List.of("none", "x"), List.copyOf(file.names()));
      assertEquals(0, file.values("none").length);
    }
  }

  @Test
  void anExistingFileIsReplacedByACompleteOneOnly() throws IOException {
    Path path = folder.resolve("model.safetensors");
    SafeTensors.write(path, Map.of("x", Tensor.of(new float[] {1}, 1)), Map.of());
    byte[] before = Files.readAllBytes(path);
    Tensor first = Tensor.of(new float[40_000], 40_000);
    Linear closed = new Linear(2, 1, 0);
    closed.close();
    Tensor second = Tensor.of(closed.parameters().get(0));
    assertThrows(
        IllegalStateException.class, () -> SafeTensors.write(path, Map.of("x", first, "y", second), Map.of()));
    assertArrayEquals(before, Files.readAllBytes(path));
    assertOnly(path);
    SafeTensors.write(path, Map.of("x", Tensor.of(new float[] {2, 3}, 2)), Map.of());
    assertOnly(path);
    try (SafeTensors file = SafeTensors.open(path)) {
      assertBits(new float[] {2, 3}, file.values("x"));
    }
  }

  private void assertOnly(Path path) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(List.of(path), files.toList());
    }
  }

  @Test
  void aFileThatIsReplacedWhileOpenIsReadAsItWas() throws IOException {
    Path path = folder.resolve("model.safetensors");
    SafeTensors.write(path, Map.of("x", Tensor.of(new float[] {1}, 1)), Map.of());
    try (SafeTensors file = SafeTensors.open(path)) {
      SafeTensors.write(path, Map.of("x", Tensor.of(new float[] {2}, 1)), Map.of());
      assertBits(new float[] {1}, file.values("x"));
    }
  }

  @Test
  void pathsThatAreNoFilesAreRefused() throws IOException {
    Path missing = folder.resolve("missing.safetensors");
    Expect.refused(NoSuchFileException.class, () -> SafeTensors.open(missing), missing.toString(), "expected");
    Expect.refused(SafeTensorsException.class, () -> SafeTensors.open(folder), folder.toString(), "regular file");
    Map<String, Tensor> none = Map.of();
    Expect.refused(
        SafeTensorsException.class, () -> SafeTensors.write(folder, none, Map.of()), folder.toString(), "a folder");
    Path nowhere = folder.resolve("nowhere/model.safetensors");
    Expect.refused(
        NoSuchFileException.class, () -> SafeTensors.write(nowhere, none, Map.of()), nowhere.toString(), "expected");
  }

  @Test
  void anInterruptedThreadReadsAndWritesAndStaysInterrupted() throws IOException {
    Path path = folder.resolve("model.safetensors");
    Thread.currentThread().interrupt();
    SafeTensors.write(path, Map.of("x", Tensor.of(new float[] {1}, 1)), Map.of());
    assertOnly(path);
    try (SafeTensors file = SafeTensors.open(path)) {
      assertBits(new float[] {1}, file.values("x"));
      assertTrue(Thread.interrupted());
      assertBits(new float[] {1}, file.values("x"));
    }
  }

  @Test
  void interruptionsWhileWritingLoseNothing() throws Exception {
    Path path = folder.resolve("model.safetensors");
    float[] values = new float[4_000_000];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    AtomicBoolean done = new AtomicBoolean();
    Thread writer = Thread.currentThread();
    Thread other = new Thread(() -> {
      while (!done.get()) {
        writer.interrupt();
        LockSupport.parkNanos(100_000);
      }
    });
    other.start();
    try {
      SafeTensors.write(path, Map.of("x", Tensor.of(values, values.length)), Map.of());
    } finally {
      done.set(true);
      while (other.isAlive()) {
        Thread.onSpinWait();
      }
      Thread.interrupted();
    }
    try (SafeTensors file = SafeTensors.open(path)) {
      assertArrayEquals(values, file.values("x"));
    }
  }

  @Test
  void interruptingAReaderDisturbsNoOther() throws Exception {
    Path path = folder.resolve("model.safetensors");
    float[] values = new float[1 << 18];
    Arrays.fill(values, 3);
    SafeTensors.write(path, Map.of("x", Tensor.of(values, values.length)), Map.of());
    try (SafeTensors file = SafeTensors.open(path)) {
      Set<Thread> threads = ConcurrentHashMap.newKeySet();
      Callable<Void> readUntilInterruptedOften =
          () -> {
            threads.add(Thread.currentThread());
            for (int interruptions = 0; interruptions < 5; interruptions += Thread.interrupted() ? 1 : 0) {
              assertBits(values, file.values("x"));
            }
            return null;
          };
      ExecutorService readers = Executors.newFixedThreadPool(2);
      for (Future<Void> reader :
          List.of(readers.submit(readUntilInterruptedOften), readers.submit(readUntilInterruptedOften))) {
        while (!isDone(reader)) {
          threads.forEach(Thread::interrupt);
        }
      }
      readers.shutdown();
    }
  }

  /** Waits a moment; what the task throws comes out. */
  private static boolean isDone(Future<Void> task) throws Exception {
    try {
      task.get(1, TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    }
  }

  @Test
  void aFileThatIsReopenedIsTheSameOrRefused() throws Exception {
    Path path = folder.resolve("model.safetensors");
    SafeTensors.write(path, Map.of("x", Tensor.of(new float[] {1}, 1)), Map.of());
    try (DataFile file = new DataFile(path)) {
      Files.delete(path);
      closeByInterruption(file);
      Expect.refused(NoSuchFileException.class, file::size, path.toString());
      SafeTensors.write(path, Map.of("x", Tensor.of(new float[] {2}, 1)), Map.of());
      Expect.refused(SafeTensorsException.class, file::size, "another file", "expected the same");
      Expect.refused(SafeTensorsException.class, () -> file.read(ByteBuffer.allocate(1), 0), "another file");
    }
  }

  /** As if a thread had been interrupted while it read. */
  private static void closeByInterruption(DataFile file) throws Exception {
    Field channel = DataFile.class.getDeclaredField("channel");
    channel.setAccessible(true);
    ((FileChannel) channel.get(file)).close();
  }

  @Test
  void aFileThatIsReplacedKeepsItsPermissions() throws IOException {
    Path path = folder.resolve("model.safetensors");
    Map<String, Tensor> one = Map.of("x", Tensor.of(new float[] {1}, 1));
    SafeTensors.write(path, one, Map.of());
    for (String permissions : List.of("rw-------", "rw-rw-rw-")) {
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
      SafeTensors.write(path, one, Map.of());
      assertEquals(permissions, PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
    }
  }

  @Test
  void aPipeIsNotReplaced() throws Exception {
    Path pipe = folder.resolve("pipe");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    Expect.refused(
        SafeTensorsException.class,
        () -> SafeTensors.write(pipe, Map.of(), Map.of()),
        pipe.toString(),
        "not a regular file: expected a file or nothing");
    assertTrue(Files.exists(pipe) && !Files.isRegularFile(pipe));
    assertOnly(pipe);
  }

  @Test
  void tensorsAreInTheOrderOfTheBytesOfTheirNames() throws IOException {
    Path path = folder.resolve("model.safetensors");
    Tensor one = Tensor.of(new float[] {1}, 1);
    SafeTensors.write(path, Map.of("\ud83d\ude00", one, "\uff21", one, "a", one), Map.of());
    try (SafeTensors file = SafeTensors.open(path)) {
      assertEquals(List.of("a", "\uff21", "\ud83d\ude00"), List.copyOf(file.names()));
    }
  }

  @Test
  void aClosedFileNamesItselfAndKeepsItsList() throws IOException {
    Path path = RawFile.write(folder, HexFormat.of().parseHex(PYTHON));
    SafeTensors file = SafeTensors.open(path);
    file.close();
    file.close();
    Expect.refused(IllegalStateException.class, () -> file.values("bias"), path.toString(), "closed");
    assertEquals("F32", file.dtype("bias"));
    assertEquals(path, file.file());
  }

  @Test
  void aFileThatShrinksWhileOpenIsRefused() throws IOException {
    byte[] bytes = HexFormat.of().parseHex(PYTHON);
    Path path = RawFile.write(folder, bytes);
    try (SafeTensors file = SafeTensors.open(path)) {
      RawFile.write(folder, Arrays.copyOf(bytes, bytes.length - 1));
      Expect.refused(SafeTensorsException.class, () -> file.values("weight"), "ends at byte 187", "expected 188");
    }
  }

  @Test
  void wrongArgumentsAreRefused() throws IOException {
    Path path = folder.resolve("x.safetensors");
    Tensor one = Tensor.of(new float[1], 1);
    refusedArgument(() -> SafeTensors.write(path, Map.of("__metadata__", one), Map.of()), "__metadata__");
    refusedArgument(() -> SafeTensors.write(path, Map.of("a\ud83d", one), Map.of()), "surrogates in pairs");
    refusedArgument(() -> SafeTensors.write(path, Map.of(), Map.of("\ude00", "")), "surrogates in pairs");
    refusedArgument(() -> SafeTensors.write(path, Map.of(), Map.of("k", "\ude00")), "\"k\"", "surrogates in pairs");
    refusedArgument(() -> Tensor.of(new float[5], 2, 3), "shape is [2, 3]", "a product of 5");
    refusedArgument(() -> Tensor.of(new float[6], -2, -3), "shape is [-2, -3]", "0 or more");
    refusedArgument(() -> Tensor.of(new float[0], 1L << 32, 1L << 32), "a product of 0");
    try (SafeTensors file = SafeTensors.open(RawFile.write(folder, HexFormat.of().parseHex(PYTHON)))) {
      refusedArgument(() -> file.values("none"), "\"none\"", "bias", "weight");
      refusedArgument(() -> file.dtype("none"), "\"none\"");
      refusedArgument(() -> file.shape("none"), "\"none\"");
      refusedNull(() -> file.values(null));
      assertThrows(UnsupportedOperationException.class, () -> file.names().remove("bias"));
      assertThrows(UnsupportedOperationException.class, () -> file.metadata().put("a", "b"));
    }
    Map<String, Tensor> nullTensor = new LinkedHashMap<>();
    nullTensor.put("x", null);
    Map<String, String> nullValue = new LinkedHashMap<>();
    nullValue.put("x", null);
    refusedNull(() -> SafeTensors.open(null));
    refusedNull(() -> SafeTensors.write(null, Map.of(), Map.of()));
    refusedNull(() -> SafeTensors.write(path, null, Map.of()));
    refusedNull(() -> SafeTensors.write(path, nullTensor, Map.of()));
    refusedNull(() -> SafeTensors.write(path, Map.of(), null));
    refusedNull(() -> SafeTensors.write(path, Map.of(), nullValue));
    refusedNull(() -> Tensor.of((float[]) null, 1));
    refusedNull(() -> Tensor.of(new float[1], (long[]) null));
    refusedNull(() -> Tensor.of(null));
    assertEquals(false, Files.exists(path));
  }

  private static void refusedArgument(Executable call, String... mentioned) {
    Expect.refused(IllegalArgumentException.class, call, mentioned);
  }

  private static void refusedNull(Executable call) {
    Expect.refused(NullPointerException.class, call, "null");
  }
}
