package dev.unroll.peers;

import dev.unroll.Unroll;
import dev.unroll.peers.RecurrentShape.Cell;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Compares this library with others on random cases, prints a table, and fails if a difference is above the limit. */
public final class Comparison {
  /** Of a tensor's largest element: gradients are sums of up to 360 steps, each side's in its own order, in float. */
  private static final double LIMIT = 1e-4;

  private final Peer peer;
  private final int cases;
  private boolean failed;

  private Comparison(Peer peer, int cases) {
    this.peer = peer;
    this.cases = cases;
  }

  /** Takes the number of cases of each cell; without it, 100. */
  public static void main(String[] arguments) {
    int cases = arguments.length == 0 ? 100 : Integer.parseInt(arguments[0]);
    System.out.printf("Unroll (%s) and its peers: relative differences, limit %.0e%n", Unroll.instructionSet(), LIMIT);
    boolean failed = false;
    for (Peer peer : List.of(new PyTorch(), new OneDnn(), new OnnxRuntime())) {
      Comparison comparison = new Comparison(peer, cases);
      comparison.run();
      failed |= comparison.failed;
    }
    System.out.println(failed ? "\nFAILED: above the limit" : "\nall within the limit");
    System.exit(failed ? 1 : 0);
  }

  private void run() {
    System.out.printf("%n%s%n", peer.name());
    System.out.println(row("cell", "cases", "outputs", "in", "gradients", "in"));
    for (Cell cell : Cell.values()) {
      if (peer.computes(cell)) {
        compare(cell);
      }
    }
  }

  private static String row(Object... columns) {
    return String.format("%-17s %5s  %-8s %-23s  %-9s %s", columns).stripTrailing();
  }

  private void compare(Cell cell) {
    Worst outputs = new Worst();
    Worst gradients = new Worst();
    for (int i = 0; i < cases; i++) {
      long seed = cell.ordinal() * 1_000_000L + i;
      RecurrentCase problem = RandomCases.any(cell, seed);
      Map<String, float[]> actual = UnrollRecurrent.run(problem);
      Map<String, float[]> expected = peer.run(problem);
      checkNames(actual.keySet(), expected.keySet());
      expected.forEach((name, values) -> {
        Difference difference = Difference.of(name, actual.get(name), values);
        (difference.isGradient() ? gradients : outputs).add(difference, problem, seed);
      });
    }
    System.out.println(row(cell, cases, outputs.size(), outputs, peer.trains() ? gradients.size() : "-", gradients));
    report(outputs);
    report(gradients);
  }

  /** Requires that the peer answers with all that it should. */
  private void checkNames(Set<String> actual, Set<String> answered) {
    Set<String> expected =
        actual.stream()
            .filter(name -> peer.trains() || !name.startsWith(RecurrentCase.GRADIENT))
            .collect(Collectors.toSet());
    if (!answered.equals(expected)) {
      throw new AssertionError(peer.name() + " answers " + answered + ", expected " + expected);
    }
  }

  private void report(Worst worst) {
    if (worst.largest.relative() > LIMIT) {
      failed = true;
      System.out.printf("  %s of %s, seed %d%n", worst.largest.tensor(), worst.problem.shape(), worst.seed);
    }
  }

  /** The largest difference so far, and where it was. */
  private static final class Worst {
    private Difference largest = new Difference("", 0);
    private RecurrentCase problem;
    private long seed;

    void add(Difference difference, RecurrentCase of, long ofSeed) {
      if (difference.relative() > largest.relative()) {
        largest = difference;
        problem = of;
        seed = ofSeed;
      }
    }

    String size() {
      return String.format("%.1e", largest.relative());
    }

    @Override
    public String toString() {
      return problem == null ? "" : largest.tensor() + ", seed " + seed;
    }
  }
}
