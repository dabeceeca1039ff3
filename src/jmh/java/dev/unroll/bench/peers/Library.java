package dev.unroll.bench.peers;

import dev.unroll.peers.RecurrentCase;
import java.util.Optional;

/** A library whose speed is measured. What it cannot do is empty. */
public interface Library {
  /** Sets how many threads work on a call; takes effect for what is prepared afterwards by this thread. */
  void threads(int count);

  /** A layer forward or, in training, forward and backward; results are named as {@link RecurrentCase} says. */
  default Optional<Subject> layer(RecurrentCase problem, boolean training) {
    return Optional.empty();
  }
}
