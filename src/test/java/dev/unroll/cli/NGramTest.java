package dev.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The baseline: probabilities by hand, and that they are probabilities. */
class NGramTest {
  private static final double EXACT = 1e-12;
  private static final int A = 0;
  private static final int B = 1;
  private static final int C = 2;

  private final int[] abac = {A, B, A, C};

  @Test
  void probabilitiesOfATinyTextAreThoseComputedByHand() {
    NGram counts = new NGram(abac, 3, 3);

    // After nothing: a twice, b and c once, 3 kinds; below that 1/3 each.
    assertEquals((2 + 3 / 3.0) / (4 + 3), counts.probability(abac, 4, A, 1), EXACT);
    assertEquals((1 + 3 / 3.0) / (4 + 3), counts.probability(abac, 4, B, 1), EXACT);

    // After a: b once and c once, 2 kinds.
    int[] afterA = {A};
    assertEquals((1 + 2 * 2 / 7.0) / (2 + 2), counts.probability(afterA, 1, B, 2), EXACT);
    assertEquals((0 + 2 * 3 / 7.0) / (2 + 2), counts.probability(afterA, 1, A, 2), EXACT);

    // After ba: c once, 1 kind.
    int[] afterBa = {B, A};
    double cAfterA = (1 + 2 * 2 / 7.0) / 4;
    assertEquals((1 + 1 * cAfterA) / (1 + 1), counts.probability(afterBa, 2, C, 3), EXACT);
  }

  @Test
  void lossIsTheMeanOverAllTokensButTheFirst() {
    NGram counts = new NGram(abac, 3, 2);
    int[] text = {A, B, A};

    double bAfterA = (1 + 2 * 2 / 7.0) / 4;
    double aAfterB = (1 + 1 * 3 / 7.0) / 2;
    assertEquals(-(Math.log(bAfterA) + Math.log(aAfterB)) / 2, counts.loss(text, 2), EXACT);
  }

  @Test
  void contextNeverSeenLeavesTheShorterOne() {
    NGram counts = new NGram(abac, 3, 3);
    int[] unseen = {C, A}; // a was seen, ca never

    for (int token = 0; token < 3; token++) {
      assertEquals(counts.probability(unseen, 2, token, 2), counts.probability(unseen, 2, token, 3), EXACT);
    }
  }

  @Test
  void emptyTextMakesAllTokensEquallyProbable() {
    assertEquals(0.25, new NGram(new int[0], 4, 2).probability(new int[] {3}, 1, 2, 2), EXACT);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6})
  void probabilitiesSumToOneInEveryContext(int order) {
    int vocabulary = 5; // token 4 never occurs in the counted text
    NGram counts = new NGram(text(400, vocabulary - 1, 1), vocabulary, 6);
    int[] other = text(300, vocabulary, 2);

    for (int position = 0; position <= other.length; position++) {
      double sum = 0;
      for (int token = 0; token < vocabulary; token++) {
        double probability = counts.probability(other, position, token, order);
        assertTrue(probability > 0 && probability < 1, "probability " + probability);
        sum += probability;
      }
      assertEquals(1, sum, EXACT);
    }
  }

  @Test
  void lowerOrdersDoNotDependOnTheHighest() {
    int[] text = text(200, 4, 3);
    int[] other = text(100, 4, 4);

    for (int n = 1; n <= 3; n++) {
      assertEquals(new NGram(text, 4, n).loss(other, n), new NGram(text, 4, 6).loss(other, n));
    }
  }

  @Test
  void longerContextsPredictAPeriodicTextBetter() {
    int[] text = new int[60];
    for (int i = 0; i < text.length; i++) {
      text[i] = i / 2 % 2; // 0 0 1 1 0 0 1 1 ...: one token of context does not tell the next, two do
    }
    NGram counts = new NGram(text, 2, 3);

    assertEquals(Math.log(2), counts.loss(text, 1), 0.01);
    assertEquals(Math.log(2), counts.loss(text, 2), 0.03);
    assertTrue(counts.loss(text, 3) < 0.1);
  }

  @Test
  void orderAboveTheCountedOneIsRefused() {
    NGram counts = new NGram(abac, 3, 2);

    IllegalArgumentException error =
        assertThrows(IllegalArgumentException.class, () -> counts.probability(abac, 1, A, 3));
    assertEquals("n is 3: expected 1 to 2", error.getMessage());
  }

  private static int[] text(int length, int vocabulary, long seed) {
    return new Random(seed).ints(length, 0, vocabulary).toArray();
  }
}
