package dev.unroll.bench.work;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/** The mean cross-entropy of rows of scores with a label each, and its gradient. */
public record CrossEntropyWorkload(int rows, int columns) implements Workload {
  /** The name of the loss among the results. */
  public static final String LOSS = "loss";

  /** The name of the gradient of the scores among the results. */
  public static final String GRADIENT = "gradient";

  private static final String NAME = "cross_entropy";

  @Override
  public String toString() {
    return String.format("%s %dx%d", NAME, rows, columns);
  }

  /** Tells whether {@link #toString} wrote a text. */
  public static boolean names(String text) {
    return text.startsWith(NAME + " ");
  }

  /** Reads what {@link #toString} writes. */
  public static CrossEntropyWorkload parse(String text) {
    String[] words = text.split("[ x](?=\\d)");
    return new CrossEntropyWorkload(Integer.parseInt(words[1]), Integer.parseInt(words[2]));
  }

  @Override
  public Optional<Subject> prepare(Library library) {
    return library.crossEntropy(this);
  }

  /** Uniform in +-5. */
  public float[] scores() {
    return FunctionWorkload.uniform(rows * columns);
  }

  /** One of every row. */
  public int[] labels() {
    int[] labels = new int[rows];
    Arrays.setAll(labels, r -> (int) (r * 7919L % columns));
    return labels;
  }

  /** In double precision. */
  @Override
  public Map<String, float[]> expected(Library reference) {
    float[] x = scores();
    int[] labels = labels();
    float[] gradient = new float[x.length];
    double loss = 0;
    for (int r = 0; r < rows; r++) {
      int start = r * columns;
      double sum = 0;
      for (int j = start; j < start + columns; j++) {
        sum += Math.exp(x[j]);
      }
      for (int j = start; j < start + columns; j++) {
        gradient[j] = (float) ((Math.exp(x[j]) / sum - (j == start + labels[r] ? 1 : 0)) / rows);
      }
      loss += (Math.log(sum) - x[start + labels[r]]) / rows;
    }
    return Map.of(LOSS, new float[] {(float) loss}, GRADIENT, gradient);
  }
}
