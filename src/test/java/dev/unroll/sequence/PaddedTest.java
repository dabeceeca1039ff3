package dev.unroll.sequence;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PaddedTest {
  private static final float NAN = Float.NaN;
  private static final float[][][] SEQUENCES = {{{1, 2}}, {}, {{3, 4}, {5, 6}, {7, 8}}};
  private static final int[] LENGTHS = {1, 0, 3};
  private static final float[] PAD = {NAN, NAN};

  private static float[][][] padded(PaddedOrder order) {
    return switch (order) {
      case BATCH_FIRST -> new float[][][] {
        {{1, 2}, PAD, PAD, PAD}, {PAD, PAD, PAD, PAD}, {{3, 4}, {5, 6}, {7, 8}, PAD}
      };
      case TIME_FIRST -> new float[][][] {
        {{1, 2}, PAD, {3, 4}}, {PAD, PAD, {5, 6}}, {PAD, PAD, {7, 8}}, {PAD, PAD, PAD}
      };
      case BATCH_FIRST_LEFT_PADDED -> new float[][][] {
        {PAD, PAD, PAD, {1, 2}}, {PAD, PAD, PAD, PAD}, {PAD, {3, 4}, {5, 6}, {7, 8}}
      };
      case TIME_FIRST_LEFT_PADDED -> new float[][][] {
        {PAD, PAD, PAD}, {PAD, PAD, {3, 4}}, {PAD, PAD, {5, 6}}, {{1, 2}, PAD, {7, 8}}
      };
    };
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

  @Test
  void sequencesOfABatchMayHaveAPaddingOfTheirOwn() {
    float[][][] left = {{PAD, {1, 2}}, {}, {PAD, PAD, {3, 4}, {5, 6}, {7, 8}}};
    try (PackedSequence packed = PackedSequence.ofPadded(left, LENGTHS, PaddedOrder.BATCH_FIRST_LEFT_PADDED, 2)) {
      assertTrue(Arrays.deepEquals(SEQUENCES, packed.toArrays()));
    }
    int[][] tokens = {{-1, 1}, {}, {-1, -1, 3, 2, 1}};
    try (PackedTokens packed = PackedTokens.ofPadded(tokens, LENGTHS, PaddedOrder.BATCH_FIRST_LEFT_PADDED, 4)) {
      assertArrayEquals(new int[][] {{1}, {}, {3, 2, 1}}, packed.toArrays());
    }
  }

  @Test
  void messagesNameTheStepWhereTheCallerHasIt() {
    float[][][] narrow = {{PAD, PAD, {1}}, {PAD, PAD, PAD}, {{3, 4}, {5, 6}, {7, 8}}};
    refused(
        "number of values in padded[0][2] is 1: expected 2",
        () -> PackedSequence.ofPadded(narrow, LENGTHS, PaddedOrder.BATCH_FIRST_LEFT_PADDED, 2));
    int[][] tokens = {{9, 9, 9}, {9, 9, 2}, {1, 9, 9}};
    refused(
        "token padded[1][2] is 2: expected at least 0 and below 2",
        () -> PackedTokens.ofPadded(tokens, new int[] {0, 0, 2}, PaddedOrder.TIME_FIRST_LEFT_PADDED, 2));
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
