package dev.unroll.layer;

import dev.unroll.internal.Checks;
import dev.unroll.sequence.SequenceLayout;

/** Checks of shapes that several layers make. */
final class Shapes {
  private Shapes() {}

  /** Requires that what belongs to the same steps is laid out alike. */
  static void sameLayout(String name, SequenceLayout actual, SequenceLayout expected) {
    if (!actual.equals(expected)) {
      throw Checks.unexpected("layout of " + name, actual, expected.toString());
    }
  }
}
