package dev.unroll.sequence;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PaddedTest {
  private static final float NAN = Float.NaN;
  private static final float[][][] SEQUENCES = {{{1, 2}}, {}, {{3, 4}, {5, 6}, {7, 8}}};
  private static final int[] LENGTHS = {1, 0, 3};
  private static final float[] PAD = {NAN, NAN};

  private static float[][][] padded(PaddedOrder order) {
    if (order == PaddedOrder.BATCH_FIRST) {
      return new float[][][] {{{1, 2}, PAD, PAD, PAD}, {PAD, PAD, PAD, PAD}, {{3, 4}, {5, 6}, {7, 8}, PAD}};
    }
    return new float[][][] {{{1, 2}, PAD, {3, 4}}, {PAD, PAD, {5, 6}}, {PAD, PAD, {7, 8}}, {PAD, PAD, PAD}};
  }

  @ParameterizedTest
  @EnumSource
  void paddingIsLeftOutAndPutBack(PaddedOrder order) {
    try (PackedSequence packed = PackedSequence.ofPadded(padded(order), LENGTHS, order, 2)) {
      assertEquals(4, packed.layout().rows());
      assertTrue(Arrays.deepEquals(SEQUENCES, packed.toArrays()));
      assertTrue(Arrays.deepEquals(padded(order), packed.toPadded(order, 4, NAN)));
    }
  }

  @ParameterizedTest
  @EnumSource
  void wrongLengthsAreRefused(PaddedOrder order) {
    refused("lengths[2] is 5", () -> PackedSequence.ofPadded(padded(order), new int[] {1, 0, 5}, order, 2));
    refused("lengths[1] is -1", () -> PackedSequence.ofPadded(padded(order), new int[] {1, -1, 3}, order, 2));
    refused("number of sequences of padded", () -> PackedSequence.ofPadded(padded(order), new int[] {1, 0}, order, 2));
    try (PackedSequence packed = PackedSequence.of(SEQUENCES, 2)) {
      refused("totalSteps is 2: expected 3 or more", () -> packed.toPadded(order, 2, 0));
    }
  }

  private static void refused(String message, org.junit.jupiter.api.function.Executable call) {
    String actual = assertThrows(IllegalArgumentException.class, call).getMessage();
    assertTrue(actual.startsWith(message), actual);
  }
}
