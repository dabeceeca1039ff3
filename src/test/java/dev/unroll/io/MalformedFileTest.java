package dev.unroll.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.unroll.Expect;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Truncated, wrong and hostile files: a SafeTensorsException, and no memory for what is not there. */
class MalformedFileTest {
  private static final String[] HOSTILE_NUMBERS = {
    "0", "1", "2", "3", "4", "8", "-1", "00", "255", "2147483647", "2147483648", "4294967296", "1152921504606846976",
    "2305843009213693952", "4611686018427387904", "9223372036854775807", "9223372036854775808",
    "18446744073709551615", "1e9", "1.0", "[", "\"1\""
  };

  private static final Pattern NUMBER = Pattern.compile("(?<=[\\[,])\\d+(?=[,\\]])");

  /** Header fields, an escape, padding, and all convertible types. */
  private static final byte[] VALID =
      RawFile.bytes(
          "{\"__metadata__\":{\"format\":\"pt\",\"k\\n\":\"\u00e9\"},"
              + RawFile.tensor("a", "F32", "[2,3]", "[0,24]") + ","
              + RawFile.tensor("b", "F16", "[2,1]", "[24,28]") + ","
              + RawFile.tensor("c.d", "BF16", "[]", "[28,30]") + ","
              + RawFile.tensor("none", "F32", "[4,0]", "[30,30]") + ","
              + RawFile.tensor("wide", "F64", "[1]", "[30,38]") + ","
              + RawFile.tensor("steps", "I16", "[1]", "[38,40]") + "}    ",
          40);

  private static Path scratch;

  @BeforeContainer
  static void makeScratch() throws IOException {
    scratch = Files.createTempDirectory("malformed");
  }

  @AfterContainer
  static void removeScratch() throws IOException {
    Files.deleteIfExists(scratch.resolve("raw.safetensors"));
    Files.delete(scratch);
  }

  @TestFactory
  Stream<DynamicTest> wrongDescriptionsAreRefused(@TempDir Path folder) {
    String f32 = "F32";
    String name = "tensor \"x\"";
    return Stream.of(
        header(folder, one(f32, "[2]", "[0,4]"), 4, name, "span 4 bytes", "64 bits for F32[2]"),
        header(folder, one(f32, "[1]", "[4,0]"), 4, name, "are [4, 0]", "begin <= end <= 4"),
        header(folder, one(f32, "[2]", "[0,8]"), 7, name, "are [0, 8]", "begin <= end <= 7"),
        header(folder, one(f32, "[1]", "[0]"), 4, name, "are [0]", "[begin, end]"),
        header(folder, one(f32, "[1]", "[0,4,4]"), 4, name, "are [0, 4, 4]", "[begin, end]"),
        header(folder, one(f32, "[1]", "[0,4]"), 5, "end at byte 4", "expected 5, where the file ends"),
        header(folder, one(f32, "[1]", "[1,5]"), 5, name, "begin at byte 1", "expected 0"),
        header(folder, "{}", 1, "end at byte 0", "expected 1"),
        header(folder, two("[0,4]", "[5,9]"), 9, "tensor \"y\"", "begin at byte 5", "expected 4"),
        header(folder, two("[0,4]", "[2,6]"), 6, "tensor \"y\"", "begin at byte 2", "expected 4"),
        header(folder, two("[0,4]", "[0,4]"), 4, "begin at byte 0", "expected 4"),
        header(folder, one(f32, "[-1]", "[0,4]"), 4, name, "is \"-\"", "a whole number, 0 or more"),
        header(folder, one(f32, "[1.0]", "[0,4]"), 4, name, "is \".\"", "',' or ']'"),
        header(folder, one(f32, "[4611686018427387904,4]", "[0,0]"), 0, name, "shape is", "below 2^63 bits"),
        header(folder, one(f32, "[4294967296,4294967296,0]", "[0,0]"), 0, name, "shape is", "below 2^63 bits"),
        header(folder, one(f32, "[288230376151711744]", "[0,0]"), 0, name, "shape is", "below 2^63 bits"),
        header(folder, one(f32, "[1152921504606846976]", "[0,4]"), 4, name, "shape is [1152921504606846976]"),
        header(folder, one("F33", "[1]", "[0,4]"), 4, name, "dtype is \"F33\"", "expected one of [BOOL,", "F32"),
        header(folder, one("f32", "[1]", "[0,4]"), 4, name, "dtype is \"f32\""),
        header(folder, one("F4", "[3]", "[0,1]"), 1, name, "span 1 bytes", "12 bits for F4[3]"),
        header(folder, "{\"x\":{\"dtype\":\"F32\",\"shape\":[]}}", 0, name, "missing", "data_offsets"),
        header(folder, "{\"x\":{}}", 0, name, "missing", "dtype"),
        header(folder, "{\"x\":{\"kind\":\"F32\"}}", 0, name, "key is \"kind\"", "dtype, shape or data_offsets"),
        header(folder, "{\"x\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0, name, "key \"dtype\" is there twice"),
        header(folder, "{\"x\":7}", 0, name, "is \"7\"", "an object"),
        header(folder, "{\"x\":" + "{\"shape\":[".repeat(10_000) + "}", 0, name, "a whole number"),
        header(folder, "{\"__metadata__\":{\"k\":1}}", 0, "__metadata__", "is \"1\"", "a string"),
        header(folder, "{\"__metadata__\":{\"k\":\"\",\"k\":\"\"}}", 0, "__metadata__", "key \"k\" is there twice"),
        header(folder, "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "\"__metadata__\" is there twice"),
        header(folder, "{\"__metadata__\":null}", 0, "__metadata__", "an object"),
        header(folder, " {}", 0, "begins with byte 32", "expected '{'"),
        header(folder, "[]", 0, "begins with byte 91", "expected '{'"),
        header(folder, "{}\u0000", 0, "header", "\\u0000", "nothing but spaces"),
        header(folder, "{}{}", 0, "header", "nothing but spaces"),
        header(folder, "{\"x", 0, "is the end", "the end of a string"));
  }

  @TestFactory
  Stream<DynamicTest> wrongFramesAreRefused(@TempDir Path folder) {
    byte[] object = "{}".getBytes(StandardCharsets.UTF_8);
    byte[] notUtf8 = {'{', '"', (byte) 0xc0, (byte) 0xaf, '"'};
    byte[] encodedSurrogate = {'{', '"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"'};
    return Stream.of(
        refused(folder, "empty", new byte[0], "size is 0 bytes"),
        refused(folder, "length alone", RawFile.bytes(2, new byte[0], 0), "size is 8 bytes"),
        refused(folder, "length 0", RawFile.bytes(0, object, 0), "length of the header is 0 bytes", "1 to 2"),
        refused(folder, "one byte too long", RawFile.bytes(3, object, 0), "is 3 bytes", "1 to 2"),
        refused(folder, "2^60", RawFile.bytes(1L << 60, object, 0), "is 1152921504606846976 bytes", "1 to 2"),
        refused(folder, "2^64 - 1", RawFile.bytes(-1, object, 0), "is 18446744073709551615 bytes", "1 to 2"),
        refused(folder, "ZIP", "PK\3\4 and so on".getBytes(StandardCharsets.UTF_8), "a ZIP file, such as torch.save's"),
        refused(folder, "not UTF-8", RawFile.bytes(5, notUtf8, 0), "byte 2 of the header", "UTF-8"),
        refused(folder, "surrogate", RawFile.bytes(6, encodedSurrogate, 0), "byte 2 of the header", "UTF-8"));
  }

  private static String one(String type, String shape, String offsets) {
    return "{" + RawFile.tensor("x", type, shape, offsets) + "}";
  }

  private static String two(String first, String second) {
    return "{" + RawFile.tensor("x", "F32", "[1]", first) + "," + RawFile.tensor("y", "F32", "[1]", second) + "}";
  }

  private static DynamicTest header(Path folder, String header, int dataSize, String... mentioned) {
    String shown = header.length() < 100 ? header : header.substring(0, 100);
    return refused(folder, shown, RawFile.bytes(header, dataSize), mentioned);
  }

  private static DynamicTest refused(Path folder, String name, byte[] bytes, String... mentioned) {
    String[] all = Arrays.copyOf(mentioned, mentioned.length + 1);
    all[mentioned.length] = "raw.safetensors";
    return Expect.refusal(
        name, SafeTensorsException.class, () -> SafeTensors.open(RawFile.write(folder, bytes)).close(), all);
  }

  @Test
  void aHeaderAboveTheLimitOfTheFormatIsRefusedWithoutReadingIt(@TempDir Path folder) throws IOException {
    Path path = RawFile.write(folder, RawFile.bytes(100_000_001, new byte[] {'{'}, 0));
    try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
      sparse.setLength(1L << 30);
    }
    long before = allocated();
    Expect.refused(SafeTensorsException.class, () -> SafeTensors.open(path), "is 100000001 bytes", "1 to 100000000");
    assertTrue(allocated() - before < 1 << 20);
  }

  @Test
  void aTensorOfMoreValuesThanAnArrayHoldsIsListedAndNotRead(@TempDir Path folder) throws IOException {
    String header = one("F32", "[2147483648]", "[0,8589934592]");
    Path path = RawFile.write(folder, header, 0);
    try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
      sparse.setLength(Long.BYTES + header.length() + (1L << 33));
    }
    try (SafeTensors file = SafeTensors.open(path)) {
      assertEquals(1L << 31, file.shape("x")[0]);
      Expect.refused(SafeTensorsException.class, () -> file.values("x"), "2147483648 values", "at most");
    }
  }

  @Test
  void hostileNamesAreShortenedInMessages(@TempDir Path folder) throws IOException {
    Path path = RawFile.write(folder, "{\"" + "n".repeat(100_000) + "\":7}", 0);
    SafeTensorsException refusal = assertThrows(SafeTensorsException.class, () -> SafeTensors.open(path));
    assertTrue(refusal.getMessage().length() < 1000);
  }

  @Property(tries = 300)
  void everyTruncationIsRefused(@ForAll @IntRange(max = 10_000) int length) throws IOException {
    byte[] part = Arrays.copyOf(VALID, length % VALID.length);
    assertEquals(false, readsWithinItsMeans(part), "a file without its end was read");
  }

  @Property(tries = 2000)
  void flippedBitsGiveARefusalOrValues(@ForAll long seed, @ForAll @IntRange(min = 1, max = 4) int flips)
      throws IOException {
    Random random = new Random(seed);
    byte[] bytes = VALID.clone();
    for (int i = 0; i < flips; i++) {
      bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
    }
    readsWithinItsMeans(bytes);
  }

  @Property(tries = 2000)
  void bytesOfTheHeaderReplacedGiveARefusalOrValues(@ForAll long seed) throws IOException {
    Random random = new Random(seed);
    byte[] bytes = VALID.clone();
    String likely = "{}[]\",:\\0123456789-. \u0000\n";
    for (int i = 0; i <= random.nextInt(3); i++) {
      bytes[random.nextInt(bytes.length - 40)] = (byte) likely.charAt(random.nextInt(likely.length()));
    }
    readsWithinItsMeans(bytes);
  }

  @Property(tries = 2000)
  void hostileNumbersGiveARefusalOrValues(@ForAll long seed) throws IOException {
    Random random = new Random(seed);
    String header = new String(VALID, Long.BYTES, VALID.length - Long.BYTES - 40, StandardCharsets.UTF_8);
    String hostile =
        NUMBER
            .matcher(header)
            .replaceAll(number -> random.nextInt(8) == 0 ? hostileNumber(random) : number.group());
    readsWithinItsMeans(RawFile.bytes(hostile, 40));
  }

  private static String hostileNumber(Random random) {
    return HOSTILE_NUMBERS[random.nextInt(HOSTILE_NUMBERS.length)];
  }

  /** Opens and reads everything; anything but a SafeTensorsException fails the test, and so does much memory. */
  private static boolean readsWithinItsMeans(byte[] bytes) throws IOException {
    Path path = RawFile.write(scratch, bytes);
    long before = allocated();
    boolean read = reads(path);
    long used = allocated() - before;
    // Names, messages and the loading of classes come on top of the file's own bytes.
    assertTrue(used < 64L * bytes.length + (1 << 20), () -> used + " bytes for a file of " + bytes.length);
    return read;
  }

  private static boolean reads(Path path) throws IOException {
    try (SafeTensors file = SafeTensors.open(path)) {
      for (String name : file.names()) {
        if (DataType.valueOf(file.dtype(name)).isConvertible()) {
          assertEquals(Shape.size(file.shape(name)), file.values(name).length);
        }
      }
      return true;
    } catch (SafeTensorsException e) {
      return false;
    }
  }

  private static long allocated() {
    return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
  }
}
