package dev.unroll.internal;

import java.io.File;
import java.io.IOException;
import org.scijava.nativelib.NativeLibraryUtil;

/**
 * Loads Unroll's native library, once.
 *
 * <p>It is the file that the system property {@value #LIBRARY_PROPERTY} names, otherwise the one inside the jar. That
 * one is extracted below the folder that {@value #TEMP_PROPERTY} names (by default {@code java.io.tmpdir}), and deleted
 * as soon as it is loaded.
 */
final class NativeLibrary {
  /** System property: a library file to load instead of the one in the jar. */
  static final String LIBRARY_PROPERTY = "unroll.library.path";

  /** System property: an existing folder to extract the library into. */
  static final String TEMP_PROPERTY = "unroll.temp.dir";

  private static volatile boolean loaded;
  private static UnsatisfiedLinkError failure; // of the first attempt, kept for later callers

  private NativeLibrary() {}

  /**
   * Loads the library on the first call; later calls do nothing, or throw the first call's error again.
   *
   * @throws UnsatisfiedLinkError if the library cannot be loaded; the message says what was looked for, where, and what
   *     to do
   */
  static void load() {
    if (!loaded) {
      loadOnce();
    }
  }

  /** What ends an attempt by another error, such as a stack overflow, ends no later one. */
  private static synchronized void loadOnce() {
    if (failure == null && !loaded) {
      failure = tryLoad(System.getProperty(LIBRARY_PROPERTY), System.getProperty(TEMP_PROPERTY), "unroll");
      loaded = failure == null;
    }
    if (failure != null) {
      throw failure;
    }
  }

  /**
   * Tries to load a library.
   *
   * @param library the value of {@link #LIBRARY_PROPERTY}; null or empty means the one in the jar
   * @param temp the value of {@link #TEMP_PROPERTY}; null or empty means {@code java.io.tmpdir}
   * @param name the library's name in the jar, without prefix and suffix
   * @return the failure, or {@code null} if the library is loaded
   */
  static UnsatisfiedLinkError tryLoad(String library, String temp, String name) {
    try {
      return isGiven(library)
          ? loadFile(library)
          : loadResource(isGiven(temp) ? temp : System.getProperty("java.io.tmpdir"), name);
    } catch (IllegalCallerException e) { // of a JDK from 24 on that was told to deny native access
      return failure(
          "Unroll may not load its native library: "
              + e.getMessage()
              + ". Start Java with --enable-native-access=ALL-UNNAMED, or =dev.unroll from the module path.",
          e);
    }
  }

  private static UnsatisfiedLinkError loadFile(String library) {
    File file = new File(library).getAbsoluteFile();
    String what = "Unroll cannot load its native library: -D" + LIBRARY_PROPERTY + "=" + library;
    if (!file.isFile()) {
      return failure(what + " names no file (looked for " + file + "). Correct or remove the property.", null);
    }
    try {
      System.load(file.getPath());
      return null;
    } catch (UnsatisfiedLinkError e) {
      return failure(what + " is not usable: " + e.getMessage(), e);
    }
  }

  private static UnsatisfiedLinkError loadResource(String temp, String name) {
    try (ResourceExtractor extractor = new ResourceExtractor(temp)) {
      // native-lib-loader says where a platform's library is. Its own load would bind the library to its class loader,
      // which need not be ours, and swallow the reason of a failure.
      if (extractor.extractJni(NativeLibraryUtil.getPlatformLibraryPath("natives/"), name) == null) {
        return resourceMissing(extractor);
      }
      try {
        System.load(extractor.file().toAbsolutePath().toString());
        return null;
      } catch (UnsatisfiedLinkError e) {
        return linkFailure(e, temp);
      }
    } catch (IOException e) {
      return extractionFailure(e, temp);
    } catch (NoClassDefFoundError e) {
      return failure(
          "Unroll needs native-lib-loader and slf4j-api to load its native library, and finds no "
              + e.getMessage()
              + ". Add both to the class path or module path.",
          e);
    }
  }

  private static UnsatisfiedLinkError resourceMissing(ResourceExtractor extractor) {
    return failure(
        "Unroll has no native library for this platform ("
            + System.getProperty("os.name")
            + " "
            + System.getProperty("os.arch")
            + "): looked on the class path for "
            + extractor.searched()
            + ". Use a jar built for it, or name the library's file with -D"
            + LIBRARY_PROPERTY
            + "=FILE.",
        null);
  }

  private static UnsatisfiedLinkError extractionFailure(IOException cause, String temp) {
    return failure(
        "Unroll cannot extract its native library into the folder "
            + temp
            + " ("
            + cause
            + "). Name a folder that exists and is writable with -D"
            + TEMP_PROPERTY
            + "=DIR.",
        cause);
  }

  private static UnsatisfiedLinkError linkFailure(UnsatisfiedLinkError cause, String temp) {
    return failure(
        "Unroll cannot load the native library that it extracted into the folder "
            + temp
            + " ("
            + cause.getMessage()
            + "). If that folder is mounted noexec, name another with -D"
            + TEMP_PROPERTY
            + "=DIR; or name the library's file with -D"
            + LIBRARY_PROPERTY
            + "=FILE.",
        cause);
  }

  private static UnsatisfiedLinkError failure(String message, Throwable cause) {
    UnsatisfiedLinkError error = new UnsatisfiedLinkError(message);
    error.initCause(cause);
    return error;
  }

  private static boolean isGiven(String value) {
    return value != null && !value.isEmpty();
  }
}
