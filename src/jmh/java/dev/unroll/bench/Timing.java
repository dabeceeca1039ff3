package dev.unroll.bench;

import dev.unroll.bench.work.Workload;
import org.openjdk.jmh.annotations.Mode;

/**
 * How often and for how long something is timed. What counts is the shortest time that was seen, as for the FMA peak:
 * others on the machine, the other thread of the core among them, only ever add to it, and are quiet for milliseconds
 * more often than for tenths of a second.
 *
 * @param mode whether each call is timed, or all of an iteration together
 * @param iterations that are counted, after warming up
 * @param milliseconds of an iteration
 */
record Timing(Mode mode, int iterations, int milliseconds) {
  private static final int BRIEF_ITERATION = 10;

  /** Of a workload, for 0.2 s together; quick, for 0.09. */
  static Timing of(Workload workload, boolean quick) {
    int together = quick ? 90 : 200;
    int few = quick ? 3 : 2;
    return switch (workload.pace()) {
      case SLOW -> new Timing(Mode.SampleTime, few, together / few);
      case BRIEF -> new Timing(Mode.AverageTime, together / BRIEF_ITERATION, BRIEF_ITERATION);
      case UNEVEN -> new Timing(Mode.AverageTime, few, together / few);
    };
  }

  /** Milliseconds of warming up. */
  int warmup() {
    return iterations * milliseconds / 2;
  }
}
