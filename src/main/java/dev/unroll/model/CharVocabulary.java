package dev.unroll.model;

import dev.unroll.internal.Checks;
import java.util.Arrays;

/** The characters (Unicode code points) of a text, numbered from 0 in ascending order. Immutable. */
public final class CharVocabulary {
  private final int[] characters;

  private CharVocabulary(int[] characters) {
    this.characters = characters;
  }

  /**
   * Collects the characters of a text.
   *
   * @param text at least one character
   * @return its vocabulary
   * @throws NullPointerException if {@code text} is null
   * @throws IllegalArgumentException if it is empty, or has halves of surrogate pairs that would be one character in
   *     ascending order
   */
  public static CharVocabulary of(String text) {
    Checks.positive("length of text", Checks.notNull("text", text).length());
    CharVocabulary vocabulary = new CharVocabulary(text.codePoints().distinct().sorted().toArray());
    long read = vocabulary.characters().codePoints().count();
    Checks.require(read == vocabulary.size(), "text", "one of unpaired surrogates", "surrogates in pairs");
    return vocabulary;
  }

  /**
   * Returns the characters, from which {@link #of} makes this vocabulary again.
   *
   * @return each once, ascending
   */
  public String characters() {
    return new String(characters, 0, characters.length);
  }

  /**
   * Counts the characters.
   *
   * @return 1 or more
   */
  public int size() {
    return characters.length;
  }

  /**
   * Turns a text into tokens.
   *
   * @param text characters of this vocabulary
   * @return one token a character, each at least 0 and below {@link #size()}
   * @throws NullPointerException if {@code text} is null
   * @throws IllegalArgumentException if it has a character outside the vocabulary; the message names it and its place
   */
  public int[] encode(String text) {
    int[] tokens = Checks.notNull("text", text).codePoints().toArray();
    for (int i = 0; i < tokens.length; i++) {
      int token = Arrays.binarySearch(characters, tokens[i]);
      if (token < 0) {
        String name = "character " + i + " of text";
        throw Checks.unexpected(name, describe(tokens[i]), "one of the vocabulary's " + size());
      }
      tokens[i] = token;
    }
    return tokens;
  }

  /**
   * Turns tokens into a text.
   *
   * @param tokens each at least 0 and below {@link #size()}
   * @return one character a token
   * @throws NullPointerException if {@code tokens} is null
   * @throws IllegalArgumentException if a token is outside the vocabulary
   */
  public String decode(int[] tokens) {
    int[] own = Checks.notNull("tokens", tokens).clone();
    Checks.indices("tokens", own, size());
    StringBuilder text = new StringBuilder(own.length);
    for (int token : own) {
      text.appendCodePoint(characters[token]);
    }
    return text.toString();
  }

  private static String describe(int character) {
    return String.format("'%s' (U+%04X)", Character.toString(character), character);
  }

  @Override
  public String toString() {
    return "CharVocabulary(" + size() + " characters)";
  }
}
