package dev.unroll.bench.peers;

import dev.unroll.Unroll;
import dev.unroll.peers.RecurrentCase;
import java.util.Optional;

/** This library. */
final class UnrollLibrary implements Library {
  @Override
  public void threads(int count) {
    Unroll.threads(count);
  }

  @Override
  public Optional<Subject> layer(RecurrentCase problem, boolean training) {
    return Optional.of(new UnrollLayer(problem, training));
  }
}
