package dev.unroll.sequence;

import static dev.unroll.Expect.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** Masks and lengths say the same. */
class MaskTest {
  private static final boolean T = true;
  private static final boolean F = false;
  private static final boolean[][] BATCH_FIRST = {{T, T, F}, {F, F, F}, {T, T, T}, {T, F, F}};
  private static final boolean[][] TIME_FIRST = {{T, F, T, T}, {T, F, T, F}, {F, F, T, F}};

  private static final boolean[][] BATCH_FIRST_LEFT = {{F, T, T}, {F, F, F}, {T, T, T}, {F, F, T}};
  private static final boolean[][] TIME_FIRST_LEFT = {{F, F, T, F}, {T, F, T, F}, {T, F, T, T}};

  @Test
  void masksOfEitherOrderAreLengths() {
    SequenceLayout layout = SequenceLayout.of(2, 0, 3, 1);
    assertEquals(layout, SequenceLayout.ofMask(BATCH_FIRST, PaddedOrder.BATCH_FIRST));
    assertEquals(layout, SequenceLayout.ofMask(TIME_FIRST, PaddedOrder.TIME_FIRST));
    assertArrayEquals(BATCH_FIRST, layout.toMask(PaddedOrder.BATCH_FIRST, 3));
    assertArrayEquals(TIME_FIRST, layout.toMask(PaddedOrder.TIME_FIRST, 3));
    assertEquals(layout, SequenceLayout.ofMask(BATCH_FIRST_LEFT, PaddedOrder.BATCH_FIRST_LEFT_PADDED));
    assertEquals(layout, SequenceLayout.ofMask(TIME_FIRST_LEFT, PaddedOrder.TIME_FIRST_LEFT_PADDED));
    assertArrayEquals(BATCH_FIRST_LEFT, layout.toMask(PaddedOrder.BATCH_FIRST_LEFT_PADDED, 3));
    assertArrayEquals(TIME_FIRST_LEFT, layout.toMask(PaddedOrder.TIME_FIRST_LEFT_PADDED, 3));
  }

  @Property(tries = 200)
  void lengthsComeBackFromTheirMask(
      @ForAll("lengths") int[] lengths, @ForAll PaddedOrder order, @ForAll @IntRange(min = 1, max = 3) int more) {
    SequenceLayout layout = SequenceLayout.of(lengths);
    boolean[][] mask = layout.toMask(order, layout.steps() + more);
    assertEquals(layout, SequenceLayout.ofMask(mask, order));
  }

  @Test
  void holesAreRefusedWhereTheyAre() {
    Class<IllegalArgumentException> type = IllegalArgumentException.class;
    boolean[][] byBatch = {{T, T}, {T, F, F, T}};
    refused(
        type,
        () -> SequenceLayout.ofMask(byBatch, PaddedOrder.BATCH_FIRST),
        "mask[1][3] is true: expected false, since mask[1][1] is padding of the same sequence");
    boolean[][] byTime = {{T, F}, {T, T}};
    refused(
        type,
        () -> SequenceLayout.ofMask(byTime, PaddedOrder.TIME_FIRST),
        "mask[1][1] is true: expected false, since mask[0][1] is padding of the same sequence; padding that comes first "
            + "is that of TIME_FIRST_LEFT_PADDED");
    refused(
        type,
        () -> SequenceLayout.ofMask(byBatch, PaddedOrder.BATCH_FIRST_LEFT_PADDED),
        "mask[1][0] is true: expected false, since mask[1][2] is padding of the same sequence");
    refused(
        type,
        () -> SequenceLayout.ofMask(TIME_FIRST, PaddedOrder.TIME_FIRST_LEFT_PADDED),
        "mask[1][0] is true: expected false, since mask[2][0] is padding of the same sequence");
  }

  @Test
  void masksWhoseRowsStandOneAfterTheOtherAreMasks() {
    SequenceLayout layout = SequenceLayout.of(2, 0, 3, 1);
    assertEquals(layout, SequenceLayout.ofMask(flat(BATCH_FIRST), 4, PaddedOrder.BATCH_FIRST));
    assertEquals(layout, SequenceLayout.ofMask(flat(TIME_FIRST), 4, PaddedOrder.TIME_FIRST));
    assertEquals(layout, SequenceLayout.ofMask(flat(TIME_FIRST_LEFT), 4, PaddedOrder.TIME_FIRST_LEFT_PADDED));
    assertEquals(SequenceLayout.of(), SequenceLayout.ofMask(new boolean[0], 0, PaddedOrder.BATCH_FIRST));
    assertEquals(SequenceLayout.of(0, 0), SequenceLayout.ofMask(new boolean[0], 2, PaddedOrder.TIME_FIRST));
    Class<IllegalArgumentException> type = IllegalArgumentException.class;
    boolean[] mask = {T, F, T};
    refused(type, () -> SequenceLayout.ofMask(mask, 2, PaddedOrder.BATCH_FIRST), "size of mask is 3", "sequences = 2");
    refused(type, () -> SequenceLayout.ofMask(mask, 0, PaddedOrder.BATCH_FIRST), "size of mask is 3", "sequences = 0");
    refused(type, () -> SequenceLayout.ofMask(mask, -1, PaddedOrder.BATCH_FIRST), "sequences is -1");
    refused(type, () -> SequenceLayout.ofMask(mask, 1, PaddedOrder.BATCH_FIRST), "mask[0][2] is true", "StepSelection");
    refused(
        NullPointerException.class,
        () -> SequenceLayout.ofMask((boolean[]) null, 1, PaddedOrder.BATCH_FIRST),
        "mask is null");
    refused(NullPointerException.class, () -> SequenceLayout.ofMask(mask, 1, null), "order is null");
  }

  private static boolean[] flat(boolean[][] mask) {
    boolean[] flat = new boolean[mask.length * mask[0].length];
    for (int i = 0; i < flat.length; i++) {
      flat[i] = mask[i / mask[0].length][i % mask[0].length];
    }
    return flat;
  }

  @Test
  void masksOfNumbersAreMasks() {
    assertEquals(
        SequenceLayout.of(2, 0), SequenceLayout.ofMask(new int[][] {{1, 1, 0}, {0, 0, 0}}, PaddedOrder.BATCH_FIRST));
    assertEquals(
        SequenceLayout.of(0, 1), SequenceLayout.ofMask(new int[][] {{0, 0}, {0, 1}}, PaddedOrder.TIME_FIRST_LEFT_PADDED));
    Class<IllegalArgumentException> type = IllegalArgumentException.class;
    refused(
        type,
        () -> SequenceLayout.ofMask(new int[][] {{1}, {2}}, PaddedOrder.BATCH_FIRST),
        "mask[1][0] is 2: expected 0 or 1");
    refused(
        type, () -> SequenceLayout.ofMask(new int[][] {{0, 1}}, PaddedOrder.BATCH_FIRST), "mask[0][1] is true: expected");
    Class<NullPointerException> isNull = NullPointerException.class;
    refused(isNull, () -> SequenceLayout.ofMask((int[][]) null, PaddedOrder.BATCH_FIRST), "mask is null");
    refused(isNull, () -> SequenceLayout.ofMask(new int[][] {null}, PaddedOrder.BATCH_FIRST), "mask[0] is null");
    refused(isNull, () -> SequenceLayout.ofMask(new int[][] {{1}}, null), "order is null");
  }

  @Test
  void tokensThatStandForPaddingAreAMask() {
    int[][] left = {{9, 9, 3}, {1, 0, 2}};
    assertEquals(SequenceLayout.of(1, 3), SequenceLayout.ofTokens(left, 9, PaddedOrder.BATCH_FIRST_LEFT_PADDED));
    int[][] timeFirst = {{5, 0}, {6, 0}};
    assertEquals(SequenceLayout.of(2, 0), SequenceLayout.ofTokens(timeFirst, 0, PaddedOrder.TIME_FIRST));
    assertEquals(SequenceLayout.of(), SequenceLayout.ofTokens(new int[0][], 0, PaddedOrder.BATCH_FIRST));
    refused(
        IllegalArgumentException.class,
        () -> SequenceLayout.ofTokens(new int[][] {{4, 0, 7}}, 0, PaddedOrder.BATCH_FIRST),
        "tokens[0][2] is 7: expected 0, since tokens[0][1] is padding of the same sequence");
    Class<NullPointerException> isNull = NullPointerException.class;
    refused(isNull, () -> SequenceLayout.ofTokens(null, 0, PaddedOrder.BATCH_FIRST), "tokens is null");
    refused(isNull, () -> SequenceLayout.ofTokens(new int[][] {null}, 0, PaddedOrder.BATCH_FIRST), "tokens[0] is null");
    refused(isNull, () -> SequenceLayout.ofTokens(left, 0, null), "order is null");
  }

  @Test
  void wrongShapesAreRefused() {
    Class<NullPointerException> isNull = NullPointerException.class;
    refused(isNull, () -> SequenceLayout.ofMask((boolean[][]) null, PaddedOrder.BATCH_FIRST), "mask is null");
    refused(isNull, () -> SequenceLayout.ofMask(BATCH_FIRST, null), "order is null");
    boolean[][] missing = {{T}, null};
    refused(isNull, () -> SequenceLayout.ofMask(missing, PaddedOrder.BATCH_FIRST), "mask[1] is null");
    refused(isNull, () -> SequenceLayout.ofMask(new boolean[][] {null}, PaddedOrder.TIME_FIRST), "mask[0] is null");
    refused(
        IllegalArgumentException.class,
        () -> SequenceLayout.ofMask(new boolean[][] {{T, T}, {T}}, PaddedOrder.TIME_FIRST),
        "number of sequences of mask[1] is 1: expected 2");
    SequenceLayout layout = SequenceLayout.of(2);
    refused(isNull, () -> layout.toMask(null, 2), "order is null");
    refused(
        IllegalArgumentException.class, () -> layout.toMask(PaddedOrder.BATCH_FIRST, 1), "totalSteps is 1: expected 2");
  }

  @Provide
  Arbitrary<int[]> lengths() {
    return Lengths.arbitrary();
  }

  @Test
  void aTimeFirstMaskOfNoStepsHasNoSequences() {
    assertEquals(0, SequenceLayout.ofMask(new boolean[0][], PaddedOrder.TIME_FIRST).sequences());
  }
}
