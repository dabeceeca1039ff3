package dev.unroll.bench.peers;

import dev.unroll.bench.work.Library;
import dev.unroll.bench.work.Subject;
import dev.unroll.peers.RecurrentCase;
import dev.unroll.peers.RecurrentShape.Cell;
import java.util.Optional;

/** DL4J, which has no GRU; its threads are set by the environment of the process. */
final class Dl4jLibrary implements Library {
  @Override
  public void threads(int count) {
    if (count != 1) {
      throw new IllegalArgumentException("its process has one thread");
    }
  }

  @Override
  public Optional<Subject> layer(RecurrentCase problem, boolean training) {
    return problem.shape().cell() == Cell.GRU ? Optional.empty() : Optional.of(new Dl4jLayer(problem, training));
  }
}
