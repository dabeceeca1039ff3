package dev.unroll.bench;

import dev.unroll.bench.work.Workload;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All measurements of one benchmark: by workload, threads and contender. */
final class Scores {
  private final Map<String, Map<String, Measurement>> all = new HashMap<>();

  /**
   * The time of a contender.
   *
   * @param mark empty, or why it is that of one thread where several were asked for: {@link #FASTER_WITH_ONE} or {@link
   *     #ONLY_ONE}
   */
  record Best(String contender, double seconds, String mark) {}

  static final String FASTER_WITH_ONE = "*";
  static final String ONLY_ONE = "'";

  /** Keeps the better one, if the contender was measured before. */
  void add(Workload workload, int threads, Measurement measurement) {
    of(workload, threads).merge(measurement.contender(), measurement, Measurement::better);
  }

  /** Whether the contender was found to be one that is not timed. */
  boolean isRefused(Workload workload, int threads, String contender) {
    Measurement found = of(workload, threads).get(contender);
    return found != null && !found.isTimed();
  }

  /** Whether a contender was not timed that should have been able to do the workload. */
  boolean hasFailures() {
    return all.values().stream()
        .flatMap(each -> each.values().stream())
        .anyMatch(
            found -> !found.isTimed() && !List.of(Contest.CANNOT, Workers.ONLY_ONE_THREAD).contains(found.refusal()));
  }

  /** What was measured with so many threads, by contender. */
  Map<String, Measurement> of(Workload workload, int threads) {
    return all.computeIfAbsent(workload + " " + threads, key -> new LinkedHashMap<>());
  }

  /** The better time of a contender with one thread and with as many as given; null if there is none. */
  Best best(Workload workload, int threads, String contender) {
    Measurement one = of(workload, 1).get(contender);
    Measurement all = of(workload, threads).get(contender);
    if (all == null || !all.isTimed()) {
      return one == null || !one.isTimed() ? null : new Best(contender, one.seconds(), threads > 1 ? ONLY_ONE : "");
    }
    if (threads > 1 && one != null && one.seconds() < all.seconds()) {
      return new Best(contender, one.seconds(), FASTER_WITH_ONE);
    }
    return new Best(contender, all.seconds(), "");
  }
}
