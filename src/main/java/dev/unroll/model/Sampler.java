package dev.unroll.model;

import dev.unroll.internal.Argmax;
import dev.unroll.internal.ArrayNative;
import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.Memory;
import dev.unroll.internal.MemoryNative;
import dev.unroll.internal.RandomPurpose;
import dev.unroll.layer.Softmax;

/** Draws tokens from scores; the i-th draw of a seed is always made with the same random number. */
final class Sampler {
  private final Softmax softmax; // null: always the most probable
  private final float[] uniforms;
  private int draws;

  Sampler(double temperature, long seed, int count) {
    Checks.require(temperature >= 0 && temperature < Double.POSITIVE_INFINITY, "temperature", temperature, "0 or more");
    softmax = temperature == 0 ? null : new Softmax(temperature);
    uniforms = new float[count];
    try (Memory memory = Memory.zeroed((long) count * Float.BYTES, "Sampler");
        Lease lease = new Lease()) {
      long address = lease.address(memory);
      ArrayNative.uniform(seed, RandomPurpose.SAMPLING, 0, count, 0, 1, address);
      MemoryNative.getFloats(address, uniforms, 0, count);
    }
  }

  int next(float[] scores) {
    float uniform = uniforms[draws++];
    if (softmax == null) {
      return mostProbable(scores);
    }
    float[] probabilities = new float[scores.length];
    softmax.forward(scores, probabilities);
    return draw(probabilities, uniform);
  }

  /** The first token whose cumulative probability is above a random number in [0, 1). */
  private static int draw(float[] probabilities, float uniform) {
    double total = 0;
    for (float probability : probabilities) {
      total += probability;
    }
    double wanted = uniform * total;
    double sum = 0;
    for (int token = 0; token < probabilities.length; token++) {
      sum += probabilities[token];
      if (sum > wanted) {
        return token;
      }
    }
    return mostProbable(probabilities); // all are NaN
  }

  /** The first of several. */
  static int mostProbable(float[] scores) {
    return Argmax.first(scores, 0, scores.length);
  }
}
