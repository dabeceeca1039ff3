package dev.unroll.bench;

import java.util.Arrays;
import java.util.List;

/**
 * What a worker is asked to measure: a benchmark on one workload, its contenders one right after the other.
 *
 * @param iterations of each contender
 */
record Request(String benchmark, String workload, int threads, List<String> contenders, Iterations iterations) {
  private static final String SEPARATOR = "\t";

  /**
   * For how long something is measured.
   *
   * @param count how many are counted, after one to warm up
   * @param milliseconds of each
   */
  record Iterations(int count, int milliseconds) {}

  @Override
  public String toString() {
    return String.join(
        SEPARATOR,
        benchmark,
        workload,
        Integer.toString(threads),
        String.join(",", contenders),
        Integer.toString(iterations.count()),
        Integer.toString(iterations.milliseconds()));
  }

  /** The same of other contenders. */
  Request of(List<String> others) {
    return new Request(benchmark, workload, threads, others, iterations);
  }

  /** Reads what {@link #toString} writes. */
  static Request parse(String line) {
    String[] fields = line.split(SEPARATOR);
    return new Request(
        fields[0],
        fields[1],
        Integer.parseInt(fields[2]),
        Arrays.asList(fields[3].split(",")),
        new Iterations(Integer.parseInt(fields[4]), Integer.parseInt(fields[5])));
  }
}
