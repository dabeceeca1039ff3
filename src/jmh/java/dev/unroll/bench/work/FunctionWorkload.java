package dev.unroll.bench.work;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** A function of every element, or of every row, of a matrix. */
public record FunctionWorkload(Function function, int rows, int columns) implements Workload {
  /** The name of the result. */
  public static final String OUTPUT = "output";

  private static final int SEED = 6;

  /** The functions. */
  public enum Function {
    SOFTMAX,
    LOG_SOFTMAX,
    TANH,
    SIGMOID,
    SOFTPLUS,
    EXP,
    LOG
  }

  @Override
  public String toString() {
    return String.format("%s %dx%d", function.name().toLowerCase(Locale.ROOT), rows, columns);
  }

  /** Reads what {@link #toString} writes. */
  public static FunctionWorkload parse(String text) {
    String[] words = text.split("[ x](?=\\d)");
    Function function = Function.valueOf(words[0].toUpperCase(Locale.ROOT));
    return new FunctionWorkload(function, Integer.parseInt(words[1]), Integer.parseInt(words[2]));
  }

  @Override
  public Pace pace() {
    return rows * columns <= 100_000 ? Pace.BRIEF : Pace.SLOW;
  }

  @Override
  public Optional<Subject> prepare(Library library) {
    return library.function(this);
  }

  /** Uniform in +-5; e to the power of four times that for the logarithm, which so gets arguments of 58 binades. */
  public float[] input() {
    float[] values = uniform(rows * columns);
    for (int i = 0; function == Function.LOG && i < values.length; i++) {
      values[i] = (float) Math.exp(4 * values[i]);
    }
    return values;
  }

  /** Uniform in +-5. */
  public static float[] uniform(int size) {
    Random random = new Random(SEED);
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = 10 * random.nextFloat() - 5;
    }
    return values;
  }

  /** In double precision. */
  @Override
  public Map<String, float[]> expected(Library reference) {
    float[] x = input();
    float[] y = new float[x.length];
    for (int start = 0; start < x.length; start += columns) {
      double sum = 0;
      for (int j = start; j < start + columns; j++) {
        sum += Math.exp(x[j]);
      }
      for (int j = start; j < start + columns; j++) {
        y[j] =
            (float)
                switch (function) {
                  case SOFTMAX -> Math.exp(x[j]) / sum;
                  case LOG_SOFTMAX -> x[j] - Math.log(sum);
                  case TANH -> Math.tanh(x[j]);
                  case SIGMOID -> 1 / (1 + Math.exp(-x[j]));
                  case SOFTPLUS -> Math.log1p(Math.exp(x[j]));
                  case EXP -> Math.exp(x[j]);
                  case LOG -> Math.log(x[j]);
                };
      }
    }
    return Map.of(OUTPUT, y);
  }
}
