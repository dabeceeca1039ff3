package dev.unroll.io;

import java.util.HashSet;
import java.util.Set;
import java.util.function.Function;

/**
 * Reads strict JSON (RFC 8259) value by value. The caller says what must come next, so a text nests no deeper than its
 * calls, and nothing but what was asked for is accepted. Numbers are whole and not negative; no object has a key twice.
 */
final class JsonReader {
  private final String text;
  private final Function<String, SafeTensorsException> failure;
  private int at;

  /**
   * Starts at the beginning.
   *
   * @param text decoded from valid UTF-8
   * @param failure makes the exception of a problem
   */
  JsonReader(String text, Function<String, SafeTensorsException> failure) {
    this.text = text;
    this.failure = failure;
  }

  /** Reads the value of an entry. */
  interface EntryReader {
    void read(String key) throws SafeTensorsException;
  }

  /** Reads an element. */
  interface ElementReader {
    void read() throws SafeTensorsException;
  }

  /** Reads an object; the reader is called after every key and must read the value. */
  void object(EntryReader entry) throws SafeTensorsException {
    expect('{', "an object");
    if (skip('}')) {
      return;
    }
    Set<String> keys = new HashSet<>();
    do {
      String key = string();
      if (!keys.add(key)) {
        throw failure.apply("key " + JsonText.shown(key) + " is there twice: expected every key once");
      }
      expect(':', "':'");
      entry.read(key);
    } while (skip(','));
    expect('}', "',' or '}'");
  }

  /** Reads an array; the reader is called for every element and must read it. */
  void array(ElementReader element) throws SafeTensorsException {
    expect('[', "an array");
    if (skip(']')) {
      return;
    }
    do {
      element.read();
    } while (skip(','));
    expect(']', "',' or ']'");
  }

  /** Reads a number. */
  long wholeNumber() throws SafeTensorsException {
    skipSpace();
    int start = at;
    while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
      at++;
    }
    if (at == start) {
      throw unexpected("a whole number, 0 or more");
    }
    if (text.charAt(start) == '0' && at > start + 1) {
      at = start;
      throw unexpected("a number without leading zeros");
    }
    try {
      return Long.parseLong(text, start, at, 10);
    } catch (NumberFormatException e) {
      at = start;
      throw unexpected("a number below 2^63");
    }
  }

  /** Reads a string. */
  String string() throws SafeTensorsException {
    expect('"', "a string");
    StringBuilder value = new StringBuilder();
    for (char c = next(); c != '"'; c = next()) {
      if (c < ' ') {
        at--;
        throw unexpected("control characters to be escaped");
      }
      if (c == '\\') {
        escape(value);
      } else {
        value.append(c);
      }
    }
    return value.toString();
  }

  private void escape(StringBuilder value) throws SafeTensorsException {
    char c = next();
    switch (c) {
      case '"', '\\', '/' -> value.append(c);
      case 'b' -> value.append('\b');
      case 'f' -> value.append('\f');
      case 'n' -> value.append('\n');
      case 'r' -> value.append('\r');
      case 't' -> value.append('\t');
      case 'u' -> unicode(value);
      default -> {
        at--;
        throw unexpected("one of \" \\ / b f n r t u after \\");
      }
    }
  }

  /** Half of a surrogate pair is no character, and could not be written as UTF-8. */
  private void unicode(StringBuilder value) throws SafeTensorsException {
    int start = at;
    char first = hexadecimal();
    value.append(first);
    if (Character.isHighSurrogate(first) && text.startsWith("\\u", at)) {
      at += 2;
      char second = hexadecimal();
      value.append(second);
      if (Character.isLowSurrogate(second)) {
        return;
      }
    }
    if (Character.isSurrogate(first)) {
      at = start;
      throw unexpected("surrogates in pairs");
    }
  }

  private char hexadecimal() throws SafeTensorsException {
    int value = 0;
    for (int i = 0; i < 4; i++) {
      char c = next();
      int digit = c < 0x80 ? Character.digit(c, 16) : -1;
      if (digit < 0) {
        at--;
        throw unexpected("four hexadecimal digits after \\u");
      }
      value = value << 4 | digit;
    }
    return (char) value;
  }

  /** Requires that only white space is left. */
  void end() throws SafeTensorsException {
    skipSpace();
    if (at < text.length()) {
      throw unexpected("nothing but spaces after the object");
    }
  }

  private char next() throws SafeTensorsException {
    if (at == text.length()) {
      throw unexpected("the end of a string");
    }
    return text.charAt(at++);
  }

  private void expect(char c, String expected) throws SafeTensorsException {
    if (!skip(c)) {
      throw unexpected(expected);
    }
  }

  private boolean skip(char c) {
    skipSpace();
    boolean found = at < text.length() && text.charAt(at) == c;
    at += found ? 1 : 0;
    return found;
  }

  private void skipSpace() {
    while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private SafeTensorsException unexpected(String expected) {
    String found = at < text.length() ? JsonText.quoted(text.substring(at, at + 1)) : "the end";
    return failure.apply("character " + at + " is " + found + ": expected " + expected);
  }
}
