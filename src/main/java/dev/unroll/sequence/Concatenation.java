package dev.unroll.sequence;

import dev.unroll.internal.Checks;
import dev.unroll.internal.StepPlaces;

/** Sequences that stand one after the other, without padding. */
final class Concatenation {
  private Concatenation() {}

  /** Checks the lengths of sequences that have so many values together, and returns where they are. */
  static StepPlaces checked(String name, int size, int[] lengths, int features) {
    long steps = 0;
    for (int b = 0; b < lengths.length; b++) {
      if (lengths[b] < 0) {
        throw Checks.unexpected("lengths[" + b + "]", lengths[b], "0 or more");
      }
      steps += lengths[b];
    }
    if (steps > size || steps * features != size) {
      throw Checks.unexpected("size of " + name, size, "sum of lengths * features = " + steps + " * " + features);
    }
    int[] starts = new int[lengths.length];
    for (int b = 1; b < lengths.length; b++) {
      starts[b] = starts[b - 1] + lengths[b - 1] * features;
    }
    return StepPlaces.startingAt(starts, features, false);
  }
}
