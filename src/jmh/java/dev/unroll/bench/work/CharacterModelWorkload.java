package dev.unroll.bench.work;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * A training step of a character model: embedding, two LSTM layers, a linear layer, mean cross-entropy over all steps,
 * gradients clipped by their norm, Adam.
 */
public record CharacterModelWorkload() implements Workload {
  public static final int VOCABULARY = 65;
  public static final int EMBEDDING = 64;
  public static final int HIDDEN = 256;
  public static final int LAYERS = 2;
  public static final int SEQUENCES = 32;
  public static final int STEPS = 64;
  public static final double CLIP_NORM = 1;
  public static final double LEARNING_RATE = 1e-3;
  /** The name of the result that holds the losses of the first steps. */
  public static final String LOSSES = "losses";
  /** How many losses. */
  public static final int COMPARED_STEPS = 5;

  private static final int GATES = 4;
  private static final int SEED = 6;

  @Override
  public String toString() {
    return "character model step";
  }

  @Override
  public Optional<Subject> prepare(Library library) {
    return library.characterModel(this);
  }

  /** Floating-point operations of the matrix products, forward and backward. */
  public double operations() {
    double lstm = GATES * HIDDEN * (double) (EMBEDDING + HIDDEN + HIDDEN + HIDDEN);
    return 3 * 2.0 * SEQUENCES * STEPS * (lstm + VOCABULARY * HIDDEN);
  }

  /** Initial weights by PyTorch's names; matrices are rows by columns. */
  public Map<String, float[]> weights() {
    Random random = new Random(SEED);
    float bound = (float) (1 / Math.sqrt(HIDDEN));
    Map<String, float[]> weights = new LinkedHashMap<>();
    weights.put("embedding.weight", uniform(random, VOCABULARY * EMBEDDING, 1));
    for (int layer = 0; layer < LAYERS; layer++) {
      int inputs = layer == 0 ? EMBEDDING : HIDDEN;
      weights.put("recurrent.weight_ih_l" + layer, uniform(random, GATES * HIDDEN * inputs, bound));
      weights.put("recurrent.weight_hh_l" + layer, uniform(random, GATES * HIDDEN * HIDDEN, bound));
      weights.put("recurrent.bias_ih_l" + layer, uniform(random, GATES * HIDDEN, bound));
      weights.put("recurrent.bias_hh_l" + layer, uniform(random, GATES * HIDDEN, bound));
    }
    weights.put("linear.weight", uniform(random, VOCABULARY * HIDDEN, bound));
    weights.put("linear.bias", uniform(random, VOCABULARY, bound));
    return weights;
  }

  private static float[] uniform(Random random, int size, float bound) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (2 * random.nextFloat() - 1) * bound;
    }
    return values;
  }

  /** [sequences][steps + 1]: inputs are all tokens but the last, targets all but the first. */
  public int[][] tokens() {
    Random random = new Random(SEED);
    int[][] tokens = new int[SEQUENCES][];
    for (int b = 0; b < SEQUENCES; b++) {
      tokens[b] = random.ints(STEPS + 1L, 0, VOCABULARY).toArray();
    }
    return tokens;
  }
}
