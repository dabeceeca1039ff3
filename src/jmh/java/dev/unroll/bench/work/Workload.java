package dev.unroll.bench.work;

import java.util.Map;
import java.util.Optional;

/** Something that every library is given to do. {@code toString} is its name in tables and what it is read from. */
public interface Workload {
  /** Prepares it on a library; empty if that cannot do it. */
  Optional<Subject> prepare(Library library);

  /** How it is to be timed. */
  enum Pace {
    /** Call by call. */
    SLOW,
    /** Many calls together: some library takes so few microseconds that to look at the clock would count. */
    BRIEF,
    /** Many calls together, for long: some calls pay for others, as those do that collect the garbage. */
    UNEVEN
  }

  /** How it is to be timed: call by call, unless it says otherwise. */
  default Pace pace() {
    return Pace.SLOW;
  }

  /** What should come out: what the reference answers, unless there is something better to go by. */
  default Map<String, float[]> expected(Library reference) {
    try (Subject subject = prepare(reference).orElseThrow()) {
      return subject.results();
    }
  }
}
