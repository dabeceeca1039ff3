package dev.unroll.peers;

import dev.unroll.layer.Parameter;
import dev.unroll.layer.Recurrent;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** Random cases; the seed alone says what they are. */
final class RandomCases {
  /** On both sides of the edges of register tiles, panels and cache blocks. */
  private static final int[] EDGES = {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 96, 127, 128, 129, 130};
  private static final int LARGEST = 130;
  private static final int MOST_SEQUENCES = 9;
  private static final int LONGEST = 40;

  private RandomCases() {}

  /** A case of any shape. */
  static RecurrentCase any(RecurrentShape.Cell cell, long seed) {
    Random random = new Random(seed);
    RecurrentShape shape = shape(cell, random);
    RecurrentCase problem = numbers(shape, random);
    // At 0 the derivative of relu jumps: a sum that rounding puts on the other side says nothing about either library.
    while (cell == RecurrentShape.Cell.RNN_RELU && ReluMargin.isSmall(problem)) {
      problem = numbers(shape, random);
    }
    return problem;
  }

  private static RecurrentShape shape(RecurrentShape.Cell cell, Random random) {
    boolean projected = cell == RecurrentShape.Cell.LSTM_PROJECTED;
    int hidden = Math.max(size(random), projected ? 2 : 1);
    int[] lengths = new int[1 + random.nextInt(MOST_SEQUENCES)];
    for (int b = 0; b < lengths.length; b++) {
      lengths[b] = random.nextInt(8) == 0 ? 0 : 1 + random.nextInt(random.nextBoolean() ? 5 : LONGEST);
    }
    if (Arrays.stream(lengths).max().orElse(0) == 0) {
      lengths[0] = 1; // without any step there is nothing to compare
    }
    return new RecurrentShape(
        cell,
        size(random),
        hidden,
        projected ? 1 + random.nextInt(hidden - 1) : 0,
        1 + random.nextInt(3),
        random.nextBoolean(),
        random.nextInt(4) > 0,
        lengths);
  }

  private static int size(Random random) {
    return random.nextBoolean() ? EDGES[random.nextInt(EDGES.length)] : 1 + random.nextInt(LARGEST);
  }

  /** Numbers for a shape: weights as a layer starts with, the rest uniform in [-1, 1). */
  private static RecurrentCase numbers(RecurrentShape shape, Random random) {
    Map<String, float[]> given = new LinkedHashMap<>();
    float bound = (float) (1 / Math.sqrt(shape.hidden()));
    try (Recurrent layer = shape.build()) {
      for (Parameter parameter : layer.parameters()) {
        given.put(parameter.name(), uniform(random, parameter.size(), bound));
      }
    }
    given.put(RecurrentCase.INPUT, uniform(random, shape.rows() * shape.inputs(), 1));
    int states = shape.entries() * shape.sequences();
    if (random.nextInt(3) > 0) {
      putState(given, RecurrentCase.INITIAL_H, RecurrentCase.INITIAL_C, shape, states, random);
    }
    int without = random.nextInt(8); // at most one of the gradients from above is left out
    if (without != 0) {
      given.put(RecurrentCase.FROM_OUTPUT, uniform(random, shape.rows() * shape.outputSize(), 1));
    }
    if (without != 1) {
      putState(given, RecurrentCase.FROM_FINAL_H, RecurrentCase.FROM_FINAL_C, shape, states, random);
    }
    return new RecurrentCase(shape, given);
  }

  private static void putState(
      Map<String, float[]> given, String hidden, String cells, RecurrentShape shape, int states, Random random) {
    given.put(hidden, uniform(random, states * shape.stateSize(), 1));
    if (shape.cell().hasCells()) {
      given.put(cells, uniform(random, states * shape.hidden(), 1));
    }
  }

  private static float[] uniform(Random random, int size, float bound) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (random.nextFloat() * 2 - 1) * bound;
    }
    return values;
  }

  /** A case of a small shape, its numbers rounded to three decimals so that they are short as text. */
  static RecurrentCase rounded(RecurrentShape shape, boolean initialState, long seed) {
    RecurrentCase problem = numbers(shape, new Random(seed));
    while (initialState != (problem.given(RecurrentCase.INITIAL_H) != null)
        || problem.given(RecurrentCase.FROM_OUTPUT) == null
        || problem.given(RecurrentCase.FROM_FINAL_H) == null) {
      problem = numbers(shape, new Random(++seed));
    }
    problem.given().replaceAll((name, values) -> {
      for (int i = 0; i < values.length; i++) {
        values[i] = Math.round(values[i] * 1000) / 1000f;
      }
      return values;
    });
    return problem;
  }
}
