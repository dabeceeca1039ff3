package dev.unroll.bench;

import java.util.Arrays;
import java.util.List;
import org.openjdk.jmh.annotations.Mode;

/**
 * What a worker is asked to measure: a benchmark on one workload, its contenders one right after the other.
 *
 * @param timing of each contender
 */
record Request(String benchmark, String workload, int threads, List<String> contenders, Timing timing) {
  private static final String SEPARATOR = "\t";

  @Override
  public String toString() {
    return String.join(
        SEPARATOR,
        benchmark,
        workload,
        Integer.toString(threads),
        String.join(",", contenders),
        timing.mode().name(),
        Integer.toString(timing.iterations()),
        Integer.toString(timing.milliseconds()));
  }

  /** The same of other contenders. */
  Request of(List<String> others) {
    return new Request(benchmark, workload, threads, others, timing);
  }

  /** Reads what {@link #toString} writes. */
  static Request parse(String line) {
    String[] fields = line.split(SEPARATOR);
    return new Request(
        fields[0],
        fields[1],
        Integer.parseInt(fields[2]),
        Arrays.asList(fields[3].split(",")),
        new Timing(Mode.valueOf(fields[4]), Integer.parseInt(fields[5]), Integer.parseInt(fields[6])));
  }
}
