package dev.unroll.io;

import java.io.IOException;
import java.nio.file.Path;

/** A file that is no whole, correct safetensors file, or not the one that was asked for. */
public final class SafeTensorsException extends IOException {
  private static final long serialVersionUID = 1;

  /**
   * Makes an exception.
   *
   * @param file the file
   * @param problem the place in it, the value found and what was expected
   */
  public SafeTensorsException(Path file, String problem) {
    super(file + ": " + problem);
  }
}
