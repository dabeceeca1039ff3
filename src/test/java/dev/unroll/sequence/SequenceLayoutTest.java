package dev.unroll.sequence;

import static dev.unroll.Expect.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/** The order of packed rows against its definition. */
class SequenceLayoutTest {
  @Test
  void rowsAreTimeMajorLongestFirstAndStable() {
    SequenceLayout layout = SequenceLayout.of(2, 0, 3, 2);

    // Step 0 of sequences 2, 0, 3; then step 1 of the same; then step 2 of sequence 2.
    assertEquals(0, layout.row(2, 0));
    assertEquals(1, layout.row(0, 0));
    assertEquals(2, layout.row(3, 0));
    assertEquals(3, layout.row(2, 1));
    assertEquals(4, layout.row(0, 1));
    assertEquals(5, layout.row(3, 1));
    assertEquals(6, layout.row(2, 2));
    assertEquals(7, layout.rows());
    assertEquals(3, layout.steps());
    assertEquals(4, layout.sequences());
  }

  @Test
  void batchWithoutSequencesHasNoRows() {
    SequenceLayout layout = SequenceLayout.of();

    assertEquals(0, layout.sequences());
    assertEquals(0, layout.steps());
    assertEquals(0, layout.rows());
    assertArrayEquals(new int[0], layout.lengths());
  }

  @Test
  void batchOfEmptySequencesHasNoRows() {
    SequenceLayout layout = SequenceLayout.of(0, 0);

    assertEquals(2, layout.sequences());
    assertEquals(0, layout.steps());
    assertEquals(0, layout.rows());
  }

  @Test
  void equalityIsThatOfTheLengthsInTheirOrder() {
    assertEquals(SequenceLayout.of(1, 2), SequenceLayout.of(1, 2));
    assertEquals(SequenceLayout.of(1, 2).hashCode(), SequenceLayout.of(1, 2).hashCode());
    assertNotEquals(SequenceLayout.of(1, 2), SequenceLayout.of(2, 1));
    assertNotEquals(SequenceLayout.of(), SequenceLayout.of(0));
    assertNotEquals(SequenceLayout.of(1), "lengths [1]");
  }

  @Test
  void textNamesTheLengthsAndStaysShort() {
    assertEquals("lengths [2, 0, 3]", SequenceLayout.of(2, 0, 3).toString());
    assertTrue(SequenceLayout.of(new int[1000]).toString().length() < 80);
  }

  @Test
  void differentLayoutsAreToldApartHoweverLongTheyAre() {
    int[] lengths = new int[1000];
    SequenceLayout zeros = SequenceLayout.of(lengths);
    zeros.requireSame("targets", "scores", SequenceLayout.of(lengths));
    lengths[700] = 5;
    SequenceLayout other = SequenceLayout.of(lengths);
    SequenceLayout shorter = SequenceLayout.of(new int[999]);
    Class<IllegalArgumentException> type = IllegalArgumentException.class;
    String name = "layout of targets is lengths [0, 0, ";
    refused(type, () -> zeros.requireSame("targets", "scores", other), name, "sequence 700 has 0 steps, not 5");
    refused(type, () -> zeros.requireSame("targets", "scores", shorter), name, "1000 sequences, not 999");
  }

  @Test
  void arraysGoingInAndOutAreCopies() {
    int[] lengths = {1, 3};
    SequenceLayout layout = SequenceLayout.of(lengths);
    lengths[0] = 9;
    layout.lengths()[1] = 9;

    assertArrayEquals(new int[] {1, 3}, layout.lengths());
    assertEquals(SequenceLayout.of(1, 3), layout);
  }

  @Property(tries = 300)
  void everyRowAgreesWithTheDefinition(@ForAll("lengths") int[] lengths) {
    SequenceLayout layout = SequenceLayout.of(lengths);
    List<int[]> expected = Lengths.packedOrder(lengths);

    assertEquals(expected.size(), layout.rows());
    for (int row = 0; row < expected.size(); row++) {
      assertEquals(row, layout.row(expected.get(row)[0], expected.get(row)[1]));
    }
  }

  @Property(tries = 300)
  void countsAndLengthsAreThoseOfTheCaller(@ForAll("lengths") int[] lengths) {
    SequenceLayout layout = SequenceLayout.of(lengths);

    assertEquals(lengths.length, layout.sequences());
    assertEquals(IntStream.of(lengths).max().orElse(0), layout.steps());
    assertEquals(IntStream.of(lengths).sum(), layout.rows());
    assertArrayEquals(lengths, layout.lengths());
    for (int i = 0; i < lengths.length; i++) {
      assertEquals(lengths[i], layout.length(i));
    }
  }

  @Provide
  Arbitrary<int[]> lengths() {
    return Lengths.arbitrary();
  }
}
