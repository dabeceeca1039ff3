package dev.unroll.bench;

import dev.unroll.bench.peers.Libraries;
import dev.unroll.bench.peers.Library;
import dev.unroll.bench.peers.Subject;
import java.util.Map;
import java.util.Optional;

/** Something that every library is given to do. {@code toString} is its name in tables and what it is read from. */
public interface Workload {
  /** Prepares it on a library; empty if that cannot do it. */
  Optional<Subject> prepare(Library library);

  /** What should come out: what this library answers, unless there is something better to go by. */
  default Map<String, float[]> expected() {
    try (Subject ours = prepare(Libraries.of(Libraries.UNROLL)).orElseThrow()) {
      return ours.results();
    }
  }
}
