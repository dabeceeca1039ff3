package dev.unroll.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.scijava.nativelib.NativeLibraryUtil;

/** Loading of the native library: where it is looked for, what is left behind, and what the errors say. */
class NativeLibraryTest {
  @TempDir Path temp;

  @Test
  void loadingAgainDoesNothing() {
    NativeLibrary.load();
    assertDoesNotThrow(NativeLibrary::load);
  }

  @Test
  void extractedFileIsInAnOwnerOnlyFolderUntilClosed() throws IOException {
    try (ResourceExtractor extractor = new ResourceExtractor(temp.toString())) {
      Path file = extractor.extractJni(platformFolder(), "unroll").toPath();

      assertEquals(temp, file.getParent().getParent());
      assertArrayEquals(resource(platformFolder() + "libunroll.so"), Files.readAllBytes(file));
      assertEquals(
          PosixFilePermissions.fromString("rwx------"), Files.getPosixFilePermissions(file.getParent()));
    }
    assertEquals(List.of(), children(temp));
  }

  @Test
  void folderIsGoneOnceTheLibraryIsLoaded() throws Exception {
    assertEquals("loaded", child("-Dunroll.temp.dir=" + temp));
    assertEquals(List.of(), children(temp));
  }

  @Test
  void propertyNamesAnotherLibraryFileAbsoluteOrRelative() throws Exception {
    Path file = Files.write(temp.resolve("copy.so"), resource(platformFolder() + "libunroll.so"));
    Path relative = Path.of("").toAbsolutePath().relativize(file);

    // A temporary folder that does not exist shows that nothing is extracted.
    String noTemp = "-Dunroll.temp.dir=" + temp.resolve("none");
    assertEquals("loaded", child("-Dunroll.library.path=" + file, noTemp));
    assertEquals("loaded", child("-Dunroll.library.path=" + relative, noTemp));
  }

  @Test
  void wrongLibraryPathNamesPropertyAndValueOnEveryCall() throws Exception {
    assertMentions(child("-Dunroll.library.path=no/such.so"), "same error", "-Dunroll.library.path=no/such.so");
  }

  @Test
  void libraryPathToAFileThatIsNoLibraryNamesPropertyAndReason() throws Exception {
    Path text = Files.writeString(temp.resolve("text.so"), "no library");

    assertMentions(child("-Dunroll.library.path=" + text), "-Dunroll.library.path=" + text + " is not usable: ");
  }

  @Test
  void missingResourceNamesPlatformAndPlacesAndLeavesNothingBehind() throws IOException {
    UnsatisfiedLinkError error = NativeLibrary.tryLoad(null, temp.toString(), "absent");

    assertMentions(
        error.getMessage(),
        System.getProperty("os.arch"),
        platformFolder() + "libabsent.so",
        "-Dunroll.library.path=FILE");
    assertEquals(List.of(), children(temp));
  }

  @Test
  void temporaryFolderThatDoesNotExistOrIsAFileIsNamed() throws IOException {
    Path file = Files.createFile(temp.resolve("file"));
    for (Path wrong : List.of(temp.resolve("none"), file)) {
      UnsatisfiedLinkError error = NativeLibrary.tryLoad(null, wrong.toString(), "unroll");

      assertMentions(error.getMessage(), wrong.toString(), "-Dunroll.temp.dir=DIR");
      assertNotNull(error.getCause());
    }
    assertEquals(List.of(file), children(temp));
  }

  @Test
  void unwritableTemporaryFolderIsNamed() throws IOException {
    Path locked =
        Files.createDirectory(
            temp.resolve("locked"),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("r-x------")));
    // The superuser may write everywhere but in /proc.
    Path unwritable = Files.isWritable(locked) ? Path.of("/proc") : locked;

    UnsatisfiedLinkError error = NativeLibrary.tryLoad(null, unwritable.toString(), "unroll");

    assertMentions(error.getMessage(), unwritable.toString(), "-Dunroll.temp.dir=DIR");
  }

  @Test
  void extractedFileThatIsNoLibraryIsReportedWithTheNoexecHintAndDeleted() throws Exception {
    Path shadow = temp.resolve("shadow");
    Path folder = Files.createDirectories(shadow.resolve(platformFolder()));
    Files.writeString(folder.resolve("libunroll.so"), "no library");
    Path empty = Files.createDirectory(temp.resolve("empty"));

    String output = childWith(shadow + File.pathSeparator, "-Dunroll.temp.dir=" + empty);

    assertMentions(output, "same error", empty.toString(), "noexec", "-Dunroll.temp.dir=DIR");
    assertEquals(List.of(), children(empty));
  }

  /** Loads in a JVM of its own; prints what happened. */
  public static final class Child {
    private Child() {}

    /**
     * Loads the library, twice if it fails.
     *
     * @param args ignored
     */
    public static void main(String[] args) {
      UnsatisfiedLinkError first = attempt();
      if (first == null) {
        System.out.print("loaded");
      } else {
        System.out.print((first == attempt() ? "same error: " : "another error: ") + first.getMessage());
      }
    }

    private static UnsatisfiedLinkError attempt() {
      try {
        NativeLibrary.load();
        return null;
      } catch (UnsatisfiedLinkError e) {
        return e;
      }
    }
  }

  private static String child(String... options) throws Exception {
    return childWith("", options);
  }

  /** Runs {@link Child} with further entries before the class path and returns its output, warnings apart. */
  private static String childWith(String classPathPrefix, String... options) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    command.add("-classpath");
    command.add(classPathPrefix + System.getProperty("java.class.path"));
    command.add(Child.class.getName());
    Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    return output;
  }

  private static String platformFolder() {
    return NativeLibraryUtil.getPlatformLibraryPath("natives/");
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = NativeLibrary.class.getResourceAsStream("/" + name)) {
      assertNotNull(in, name);
      return in.readAllBytes();
    }
  }

  private static List<Path> children(Path folder) throws IOException {
    try (Stream<Path> children = Files.list(folder)) {
      return children.toList();
    }
  }

  private static void assertMentions(String message, String... parts) {
    for (String part : parts) {
      assertTrue(message.contains(part), () -> "expected <" + part + "> in: " + message);
    }
  }
}
