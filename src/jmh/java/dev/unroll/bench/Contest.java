package dev.unroll.bench;

import dev.unroll.bench.peers.Libraries;
import dev.unroll.bench.work.Library;
import dev.unroll.bench.work.Subject;
import dev.unroll.bench.work.Workload;
import dev.unroll.peers.Difference;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** One workload, one library, some threads. Before a peer is timed its results are compared with this library's. */
@State(Scope.Thread)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public abstract class Contest {
  /** Of a tensor's largest element: sums of up to 6,400 steps, each side's in its own order, in float. */
  private static final double LIMIT = 1e-4;

  /** Why a contender is not timed that has nothing for the workload. */
  static final String CANNOT = "cannot do this";

  /** Why contenders of the last workload were not timed. */
  private static final Map<String, String> REFUSED = new HashMap<>();

  /** Workload, contender and threads of results that were right: a later round need not look again. */
  private static final Set<List<Object>> CHECKED = new HashSet<>();

  /** Bytes that a call of each contender allocated, where calls are brief. */
  private static final Map<String, Double> ALLOCATED = new HashMap<>();

  private static String answered = "";
  private static Map<String, float[]> answer;

  @Param("unroll")
  public String contender;

  @Param("1")
  public int threads;

  @Param("")
  public String workload;

  private Subject subject;

  /** Reads the workload. */
  abstract Workload parse(String text);

  @Setup(Level.Trial)
  public void prepare() {
    try {
      Workload work = parse(workload);
      List<Object> key = List.of(workload, contender, threads);
      if (!CHECKED.contains(key) && !answered.equals(workload)) {
        answer = work.expected(Libraries.of(Libraries.UNROLL));
        answered = workload;
      }
      Library library = Libraries.of(contender);
      library.threads(threads);
      subject = work.prepare(library).orElseThrow(() -> new IllegalStateException(CANNOT));
      if (!CHECKED.contains(key)) {
        check(subject.results(), subject.lacking());
        CHECKED.add(key);
      }
      CompilerWait.warmUp(subject, contender.equals(Libraries.DL4J));
      if (work.pace() == Workload.Pace.BRIEF) {
        ALLOCATED.put(contender, Allocation.ofOneCall(subject));
      }
    } catch (RuntimeException | Error e) {
      close();
      REFUSED.put(contender, e.getMessage() == null ? e.toString() : e.getMessage());
      throw e;
    }
  }

  private static void check(Map<String, float[]> results, Set<String> lacking) {
    Set<String> expected = new TreeSet<>(answer.keySet());
    expected.removeAll(lacking);
    if (!results.keySet().equals(expected)) {
      throw new IllegalStateException("answers " + new TreeSet<>(results.keySet()) + ", expected " + expected);
    }
    results.forEach((name, values) -> {
      Difference difference = Difference.of(name, values, answer.get(name));
      if (!(difference.relative() <= LIMIT)) {
        throw new IllegalStateException(String.format("%s differs by %.1e", name, difference.relative()));
      }
    });
  }

  /** What is timed. */
  final void run() {
    subject.run();
  }

  @TearDown(Level.Trial)
  public void close() {
    if (subject != null) {
      subject.close();
      subject = null;
    }
  }

  /** Takes what a call of a contender allocated; NaN if that was not counted. */
  static double takeAllocated(String contender) {
    Double bytes = ALLOCATED.remove(contender);
    return bytes == null ? Double.NaN : bytes;
  }

  /** Takes the reason why a contender was not timed; null if there is none. */
  static String takeRefusal(String contender) {
    return REFUSED.remove(contender);
  }
}
