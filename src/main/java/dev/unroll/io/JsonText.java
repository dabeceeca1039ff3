package dev.unroll.io;

/** Strings as JSON writes them. */
final class JsonText {
  private static final int SHOWN = 200;

  private JsonText() {}

  /** Returns a JSON string, with no more escapes than it needs. */
  static String quoted(String value) {
    StringBuilder text = new StringBuilder(value.length() + 2).append('"');
    for (int i = 0; i < value.length(); i++) {
      append(text, value.charAt(i));
    }
    return text.append('"').toString();
  }

  private static void append(StringBuilder text, char c) {
    switch (c) {
      case '"' -> text.append("\\\"");
      case '\\' -> text.append("\\\\");
      case '\b' -> text.append("\\b");
      case '\f' -> text.append("\\f");
      case '\n' -> text.append("\\n");
      case '\r' -> text.append("\\r");
      case '\t' -> text.append("\\t");
      default -> {
        if (c < ' ') {
          text.append(String.format("\\u%04x", (int) c));
        } else {
          text.append(c);
        }
      }
    }
  }

  /** Returns a name for a message: a name from a hostile file may be as long as its header. */
  static String shown(String name) {
    return name.length() <= SHOWN ? quoted(name) : quoted(name.substring(0, SHOWN)) + "...";
  }
}
