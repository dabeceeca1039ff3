package dev.unroll.peers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Cases and a peer's answers as text: a line {@code case} with the shape, then a line for each tensor, {@code given} or
 * {@code expected}, its name and its numbers; {@code #} starts a comment.
 */
public final class GoldenText {
  private GoldenText() {}

  /** A case and what the peer answered. */
  public record Answered(RecurrentCase problem, Map<String, float[]> expected) {
    @Override
    public String toString() {
      return problem.shape() + (problem.given(RecurrentCase.INITIAL_H) == null ? ", no initial state" : "");
    }
  }

  /** Writes one case. */
  public static String write(Answered answered) {
    StringBuilder text = new StringBuilder("case ").append(answered.problem.shape()).append('\n');
    append(text, "given", answered.problem.given());
    append(text, "expected", answered.expected);
    return text.toString();
  }

  private static void append(StringBuilder text, String kind, Map<String, float[]> tensors) {
    tensors.forEach(
        (name, values) -> {
          text.append(kind).append(' ').append(name);
          for (float value : values) {
            text.append(' ').append(value);
          }
          text.append('\n');
        });
  }

  /** Reads a file of cases. */
  public static List<Answered> read(Reader source) {
    List<Answered> cases = new ArrayList<>();
    try (BufferedReader reader = new BufferedReader(source)) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        readLine(line, cases);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return cases;
  }

  private static void readLine(String line, List<Answered> cases) {
    if (line.startsWith("#")) {
      return;
    }
    String[] words = line.split(" ");
    if (words[0].equals("case")) {
      RecurrentShape shape = RecurrentShape.parse(line.substring("case ".length()));
      cases.add(new Answered(new RecurrentCase(shape, new LinkedHashMap<>()), new LinkedHashMap<>()));
      return;
    }
    float[] values = new float[words.length - 2];
    for (int i = 0; i < values.length; i++) {
      values[i] = Float.parseFloat(words[i + 2]);
    }
    Answered last = cases.get(cases.size() - 1);
    (words[0].equals("given") ? last.problem.given() : last.expected).put(words[1], values);
  }
}
