package dev.unroll.golden;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.unroll.Unroll;
import dev.unroll.golden.GoldenHashes.Run;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;

/**
 * The committed hashes are those of every instruction set, number of threads, split of the batch and JDK. A change that
 * is meant to change bits writes them anew: see {@link GoldenTable}.
 */
class GoldenTest {
  private final Map<String, Split.Hashes> golden = GoldenFile.read();

  @Test
  void everyModelHasAHash() {
    assertEquals(
        new LinkedHashSet<>(GoldenModels.all().stream().map(GoldenModel::name).toList()), golden.keySet());
  }

  /** One run of the tests is enough: each starts the same processes. */
  @TestFactory
  @DisabledIfSystemProperty(named = "unroll.isa", matches = ".+")
  Stream<DynamicTest> bitsAreTheSameForEveryInstructionSetThreadCountSplitAndJdk() throws Exception {
    List<DynamicTest> tests = new ArrayList<>();
    List<Jdk> jdks = Jdk.installed();
    for (Jdk jdk : jdks) {
      // The instructions of the kernels do not depend on the JDK: one set is enough for the others.
      List<String> all = Unroll.supportedInstructionSets();
      for (String set : jdk == jdks.get(0) ? all : all.subList(all.size() - 1, all.size())) {
        tests.add(dynamicTest("JDK " + jdk.version() + ", " + set, () -> check(jdk, set)));
      }
    }
    return tests.stream();
  }

  private void check(Jdk jdk, String set) throws Exception {
    List<String> lines = jdk.run(List.of("-Dunroll.isa=" + set), GoldenHashes.class, "quick");
    assertEquals(set, lines.get(0));
    List<Run> runs = lines.stream().skip(1).map(Run::of).toList();
    assertTrue(runs.size() >= golden.size() * GoldenHashes.THREADS.size(), () -> "only " + runs.size() + " runs");
    List<Run> different = runs.stream().filter(run -> !GoldenTable.isGolden(run, golden)).toList();
    assertEquals(List.of(), different);
  }
}
