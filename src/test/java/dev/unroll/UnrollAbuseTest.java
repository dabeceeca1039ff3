package dev.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Wrong settings of the library as a whole. */
class UnrollAbuseTest {
  @TestFactory
  Stream<DynamicTest> threadCountsOutOfRangeAreRefused() {
    return IntStream.of(0, -1, 1025, Integer.MAX_VALUE, Integer.MIN_VALUE)
        .mapToObj(
            n ->
                Expect.refusal(
                    n + " threads",
                    IllegalArgumentException.class,
                    () -> Unroll.threads(n),
                    "threads is " + n,
                    "1 to 1024"));
  }

  @Test
  void refusedThreadCountLeavesTheSettingAsItWas() {
    int before = Unroll.threads();
    assertThrowsExactly(IllegalArgumentException.class, () -> Unroll.threads(0));
    assertEquals(before, Unroll.threads());
  }

  @Test
  void threadCountIsWhatWasSet() {
    int before = Unroll.threads();
    try {
      for (int threads : new int[] {1, 3, 3, 2, 9, 1}) {
        Unroll.threads(threads);
        assertEquals(threads, Unroll.threads());
      }
    } finally {
      Unroll.threads(before);
    }
  }

  @Test
  void instructionSetInUseIsOneOfThoseListedAndTheListIsACopy() {
    List<String> supported = Unroll.supportedInstructionSets();
    assertEquals("generic", supported.get(0));
    assertTrue(supported.contains(Unroll.instructionSet()));
    assertThrowsExactly(UnsupportedOperationException.class, () -> supported.remove(0));
  }
}
