package dev.unroll.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonReaderTest {
  private static JsonReader reader(String text) {
    return new JsonReader(text, problem -> new SafeTensorsException(Path.of("test"), problem));
  }

  private static String string(String text) throws SafeTensorsException {
    JsonReader json = reader(text);
    String value = json.string();
    json.end();
    return value;
  }

  private static long number(String text) throws SafeTensorsException {
    JsonReader json = reader(text);
    long value = json.wholeNumber();
    json.end();
    return value;
  }

  /** An object of arrays of numbers, written down again without spaces. */
  private static String object(String text) throws SafeTensorsException {
    JsonReader json = reader(text);
    List<String> entries = new ArrayList<>();
    json.object(
        key -> {
          List<Long> numbers = new ArrayList<>();
          json.array(() -> numbers.add(json.wholeNumber()));
          entries.add(key + numbers);
        });
    json.end();
    return entries.toString();
  }

  @Test
  void objectsArraysAndSpacesAreRead() throws SafeTensorsException {
    assertEquals("[]", object("{}"));
    assertEquals("[a[]]", object("{\"a\":[]}"));
    assertEquals("[a[1, 2], [0]]", object(" \t\r\n{ \"a\" : [ 1 , 2 ] , \"\" : [ 0 ] } \n"));
  }

  @Test
  void escapesAreRead() throws SafeTensorsException {
    assertEquals("\"\\/\b\f\n\r\t", string("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""));
    assertEquals("\u0000A\u00e9\uffff", string("\"\\u0000\\u0041\\u00e9\\uFfFf\""));
    assertEquals("\ud83d\ude00", string("\"\\ud83d\\ude00\""));
    assertEquals("\u007f\u2028\ud83d\ude00", string("\"\u007f\u2028\ud83d\ude00\""));
  }

  @Test
  void numbersUpToTheLargestLongAreRead() throws SafeTensorsException {
    assertEquals(0, number("0"));
    assertEquals(10, number(" 10 "));
    assertEquals(Long.MAX_VALUE, number("9223372036854775807"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "01", "00", "-1", "-0", "+1", "1.0", "1e3", "1E3", ".5", "0x1", "9223372036854775808",
        "99999999999999999999999999", "1 2", "NaN", "true", "null", "\"1\"", "\u0661", "1\u00a0"
      })
  void otherNumbersAreRefused(String text) {
    assertThrows(SafeTensorsException.class, () -> number(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "\"", "\"a", "a", "'a'", "\"\\", "\"\\\"", "\"\\a\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u\u0661234\"",
        "\"\\U0041\"", "\"\n\"", "\"\t\"", "\"\u0000\"", "\"\u001f\"", "\"\\ud83d\"", "\"\\ud83dx\"", "\"\\ude00\"",
        "\"\\ud83d\\ud83d\"", "\"\\ud83d\\u0041\"", "\"\\ud83d\\n\"", "\"a\" \"b\"", "null"
      })
  void otherStringsAreRefused(String text) {
    assertThrows(SafeTensorsException.class, () -> string(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", " ", "{", "[]", "{}}", "{} {}", "{},", "{\"a\"}", "{\"a\":}", "{\"a\":[}", "{\"a\":[1}", "{\"a\":[1,]}",
        "{\"a\":[,]}", "{\"a\":[1 2]}", "{\"a\":[1],}", "{,}", "{\"a\":[1] \"b\":[]}", "{a:[1]}", "{\"a\":[[1]]}",
        "{\"a\":{}}", "{\"a\":null}", "{1:[1]}", "{\"a\":[]}x", "{\"a\":[]}\u0000", "{\"a\":[]}//", "\ufeff{}",
        "{\"a\":[],\"a\":[]}", "{\"a\":[],\"\\u0061\":[]}", "{\"a\":[],\"b\":[],\"a\":[1]}"
      })
  void otherObjectsAreRefused(String text) {
    assertThrows(SafeTensorsException.class, () -> object(text));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"a\":[1,x]}|character 8 is \"x\": expected a whole number, 0 or more",
        "{\"a\":[1|character 7 is the end: expected ',' or ']'",
        "{\"a\":[007]}|character 6 is \"0\": expected a number without leading zeros",
        "{\"a\" [1]}|character 5 is \"[\": expected ':'",
        "{\"b\":[],\"b\":[]}|key \"b\" is there twice: expected every key once"
      })
  void messagesNameThePlaceTheValueAndWhatWasExpected(String text, String message) {
    SafeTensorsException refusal = assertThrows(SafeTensorsException.class, () -> object(text));
    assertEquals("test: " + message, refusal.getMessage());
  }

  @Test
  void deepNestingEndsAtTheFirstLevelThatWasNotAskedFor() {
    String deep = "{\"a\":" + "[".repeat(1_000_000);
    SafeTensorsException refusal = assertThrows(SafeTensorsException.class, () -> object(deep));
    assertTrue(refusal.getMessage().contains("character 6 "), refusal::getMessage);
  }

  @Property(tries = 500)
  void whatIsQuotedReadsBackAsItWas(@ForAll String text) throws SafeTensorsException {
    String valid = new String(text.getBytes(UTF_8), UTF_8);
    assertEquals(valid, string(JsonText.quoted(valid)));
  }
}
