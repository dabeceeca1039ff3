package dev.unroll.peers;

import java.util.Map;

/** Another library that computes the same layers. */
interface Peer {
  /** The library's name and version. */
  String name();

  /** Whether it has the cell. */
  boolean computes(RecurrentShape.Cell cell);

  /** Whether it answers with gradients. */
  boolean trains();

  /** Answers a case as {@link RecurrentCase} says. */
  Map<String, float[]> run(RecurrentCase problem);
}
