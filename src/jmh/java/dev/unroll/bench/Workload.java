package dev.unroll.bench;

import dev.unroll.bench.peers.Library;
import dev.unroll.bench.peers.Subject;
import java.util.Optional;

/** Something that every library is given to do. {@code toString} is its name in tables and the form that it is read from. */
public interface Workload {
  /** Prepares it on a library; empty if that cannot do it. */
  Optional<Subject> prepare(Library library);
}
