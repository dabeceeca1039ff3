package dev.unroll.bench.work;

import java.util.Map;
import java.util.Optional;

/** Something that every library is given to do. {@code toString} is its name in tables and what it is read from. */
public interface Workload {
  /** Prepares it on a library; empty if that cannot do it. */
  Optional<Subject> prepare(Library library);

  /** Whether some library does it in so few microseconds that to time a single call would distort it. */
  default boolean isBrief() {
    return false;
  }

  /** What should come out: what the reference answers, unless there is something better to go by. */
  default Map<String, float[]> expected(Library reference) {
    try (Subject subject = prepare(reference).orElseThrow()) {
      return subject.results();
    }
  }
}
