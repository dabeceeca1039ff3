package dev.unroll.internal;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.scijava.nativelib.JniExtractor;

/**
 * Copies a native library from the class path into a new folder that only the current user can enter, and deletes both
 * when closed.
 */
final class ResourceExtractor implements JniExtractor, AutoCloseable {
  private final String parent;
  private final List<String> searched = new ArrayList<>();
  private Path folder;
  private Path file;

  /**
   * Creates an extractor; nothing is written yet.
   *
   * @param parent the existing folder in which to create the new one
   */
  ResourceExtractor(String parent) {
    this.parent = parent;
  }

  /**
   * Extracts a library.
   *
   * @param libPath the resource folder, ending in a slash
   * @param libname the library's name without prefix and suffix
   * @return the extracted file, or {@code null} if there is no such resource
   * @throws IOException if the file cannot be written
   */
  @Override
  public File extractJni(String libPath, String libname) throws IOException {
    String name = System.mapLibraryName(libname);
    String resource = libPath + name;
    searched.add(resource);
    try (InputStream in = ResourceExtractor.class.getResourceAsStream("/" + resource)) {
      if (in == null) {
        return null;
      }
      folder = createFolder();
      file = folder.resolve(name);
      try (OutputStream out = new FileOutputStream(file.toFile())) { // begins sooner than a channel
        in.transferTo(out);
      }
      return file.toFile();
    } catch (InvalidPathException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  /** Does nothing: no library is ever registered here. */
  @Override
  public void extractRegistered() {}

  /**
   * Returns the resources asked for so far.
   *
   * @return their names, in the order of the search
   */
  List<String> searched() {
    return List.copyOf(searched);
  }

  /**
   * Returns the extracted file.
   *
   * @return the file, which may be incomplete, or {@code null} if none was created
   */
  Path file() {
    return file;
  }

  /** Deletes the file and its folder. A library that is loaded keeps its mapping. */
  @Override
  public void close() {
    deleteIfPossible(file);
    deleteIfPossible(folder);
  }

  /**
   * Creates a folder of a name that is not taken. Not by {@link Files#createTempDirectory}, whose secure random numbers
   * take 30 ms to begin with: it is no harm if others can guess the name, for a folder that exists is never used, and a
   * new one belongs to the current user alone from the start.
   */
  private Path createFolder() throws IOException {
    boolean posix = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
    FileAttribute<?>[] ownerOnly =
        posix
            ? new FileAttribute<?>[] {
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
            }
            : new FileAttribute<?>[0];
    while (true) {
      Path path = Path.of(parent, "unroll-" + Long.toHexString(ThreadLocalRandom.current().nextLong()));
      try {
        return Files.createDirectory(path, ownerOnly);
      } catch (FileAlreadyExistsException e) {
        // Somebody else's: the next name is another one.
      }
    }
  }

  private static void deleteIfPossible(Path path) {
    if (path == null) {
      return;
    }
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      // A leftover in the temporary folder is no reason to refuse work; some systems lock loaded libraries.
      path.toFile().deleteOnExit();
    }
  }
}
