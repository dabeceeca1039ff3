package dev.unroll.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CoderResult;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A text cut by characters (Unicode code points).
 *
 * @param whole all of it
 * @param train its first 90 %
 * @param validation the next 5 %
 * @param test the last 5 %
 */
record SplitText(String whole, String train, String validation, String test) {
  /** So many characters leave two for the validation and two for the test: one to read and one to predict. */
  static final int MIN_CHARACTERS = 40;

  /** Cuts a text of at least {@link #MIN_CHARACTERS} characters. */
  static SplitText of(String whole) {
    int characters = characters(whole);
    int trained = whole.offsetByCodePoints(0, (int) (characters * 90L / 100));
    int validated = whole.offsetByCodePoints(0, (int) (characters * 95L / 100));
    return new SplitText(
        whole, whole.substring(0, trained), whole.substring(trained, validated), whole.substring(validated));
  }

  /** Counts the characters of a text. */
  static int characters(String text) {
    return text.codePointCount(0, text.length());
  }

  /** Returns the first characters of the test part, or all of it if there are not so many. */
  String testStart(int count) {
    return test.substring(0, test.offsetByCodePoints(0, Math.min(count, characters(test))));
  }

  /**
   * Reads a file in UTF-8, without its byte order mark.
   *
   * @throws IOException if it cannot be read
   * @throws NotUtf8Exception if it is not UTF-8
   */
  static String read(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
    CharBuffer characters = CharBuffer.allocate(bytes.remaining()); // UTF-16 never needs more units than UTF-8 bytes
    CoderResult result = StandardCharsets.UTF_8.newDecoder().decode(bytes, characters, true);
    if (result.isError()) {
      throw new NotUtf8Exception(bytes.position());
    }
    String text = characters.flip().toString();
    return text.startsWith("\uFEFF") ? text.substring(1) : text;
  }

  /** Says where a file stops being UTF-8. */
  static final class NotUtf8Exception extends MalformedInputException {
    private static final long serialVersionUID = 1;
    private final int position;

    NotUtf8Exception(int position) {
      super(1);
      this.position = position;
    }

    @Override
    public String getMessage() {
      return "byte " + position + " is not UTF-8";
    }
  }
}
