package dev.unroll.bench;

import dev.unroll.bench.peers.Library;
import dev.unroll.bench.peers.Subject;
import java.util.Map;
import java.util.Optional;

/** One event of a stream: features in, output out, the state kept for the next, with an LSTM of as many units. */
public record StreamWorkload(int hidden) implements Workload {
  @Override
  public String toString() {
    return "LSTM step " + hidden;
  }

  /** Reads what {@link #toString} writes. */
  public static StreamWorkload parse(String text) {
    return new StreamWorkload(Integer.parseInt(text.substring(text.lastIndexOf(' ') + 1)));
  }

  @Override
  public Optional<Subject> prepare(Library library) {
    return library.stream(hidden);
  }

  /** Nothing to compare: the layers' tests do. */
  @Override
  public Map<String, float[]> expected() {
    return Map.of();
  }
}
