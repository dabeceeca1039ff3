package dev.unroll.layer;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.sequence.SequenceLayout;
import org.junit.jupiter.api.Test;

class PackingChoiceTest {
  private final PackingChoice choice = new PackingChoice();

  @Test
  void weightsThatChangeInEveryStepAreNeverPacked() {
    for (int version = 0; version < 5; version++) {
      assertTrue(choice.plain(version, SequenceLayout.ofSingleSteps(1)));
    }
  }

  @Test
  void weightsThatComeAgainArePackedAndStaySo() {
    assertTrue(choice.plain(3, SequenceLayout.ofSingleSteps(2)));
    assertFalse(choice.plain(3, SequenceLayout.ofSingleSteps(2)));
    assertFalse(choice.plain(3, SequenceLayout.ofSingleSteps(2)));
    assertTrue(choice.plain(4, SequenceLayout.ofSingleSteps(2)));
  }

  @Test
  void manyRowsArePackedAtOnce() {
    assertFalse(choice.plain(1, SequenceLayout.ofSingleSteps(3)));
    assertFalse(choice.plain(2, SequenceLayout.of(new int[] {2})));
    assertFalse(choice.plain(2, SequenceLayout.ofSingleSteps(1)), "panels are there");
  }
}
