package dev.unroll.bench.work;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** An embedding and an LSTM over tokens drawn uniformly, with a vector for every step or for every distinct token. */
public record TokenWorkload(Vectors vectors, boolean training, int vocabulary, int inputs, int hidden)
    implements Workload {
  /** What the layer reads. */
  public enum Vectors {
    OF_STEPS,
    OF_TOKENS
  }

  private static final int SEQUENCES = 32;
  private static final int STEPS = 64;

  @Override
  public String toString() {
    String pass = training ? "train" : "forward";
    return vectors.name().toLowerCase(Locale.ROOT) + " " + pass + " " + vocabulary + "x" + inputs + "x" + hidden;
  }

  /** Reads what {@link #toString} writes. */
  public static TokenWorkload parse(String text) {
    String[] words = text.split("[ x]");
    return new TokenWorkload(
        Vectors.valueOf(words[0].toUpperCase(Locale.ROOT)),
        words[1].equals("train"),
        Integer.parseInt(words[2]),
        Integer.parseInt(words[3]),
        Integer.parseInt(words[4]));
  }

  /** The same with other vectors. */
  public TokenWorkload with(Vectors other) {
    return new TokenWorkload(other, training, vocabulary, inputs, hidden);
  }

  /** [sequences][steps] */
  public int[][] tokens() {
    Random random = new Random(7);
    int[][] tokens = new int[SEQUENCES][];
    for (int b = 0; b < SEQUENCES; b++) {
      tokens[b] = random.ints(STEPS, 0, vocabulary).toArray();
    }
    return tokens;
  }

  @Override
  public Optional<Subject> prepare(Library library) {
    return library.tokens(this);
  }

  /** What a vector for every step gives. */
  @Override
  public Map<String, float[]> expected(Library reference) {
    try (Subject subject = with(Vectors.OF_STEPS).prepare(reference).orElseThrow()) {
      return subject.results();
    }
  }
}
