package dev.unroll.layer;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class PackingChoiceTest {
  private final PackingChoice choice = new PackingChoice();

  @Test
  void weightsThatChangeInEveryStepAreNeverPacked() {
    for (int version = 0; version < 5; version++) {
      assertTrue(choice.choosePlain(version, 1));
    }
  }

  @Test
  void weightsThatComeAgainArePackedAndStaySo() {
    assertTrue(choice.choosePlain(3, 2));
    assertFalse(choice.choosePlain(3, 2));
    assertFalse(choice.choosePlain(3, 2));
    assertTrue(choice.choosePlain(4, 2));
  }

  @Test
  void manyRowsArePackedAtOnce() {
    assertFalse(choice.choosePlain(1, 3));
    assertFalse(choice.choosePlain(1, 1), "panels are there");
  }
}
