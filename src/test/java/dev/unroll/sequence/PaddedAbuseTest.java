package dev.unroll.sequence;

import static dev.unroll.Expect.refusal;
import static dev.unroll.sequence.PaddedOrder.BATCH_FIRST;
import static dev.unroll.sequence.PaddedOrder.TIME_FIRST;

import dev.unroll.Expect;
import dev.unroll.Workspace;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every wrong argument of padded batches, flat and nested. */
class PaddedAbuseTest {
  private static final Class<NullPointerException> NULL = NullPointerException.class;
  private static final Class<IllegalArgumentException> ARGUMENT = IllegalArgumentException.class;
  private static final Class<IllegalStateException> STATE = IllegalStateException.class;
  private static final int[] LENGTHS = {1, 2};

  private final float[] flat = new float[12]; // 2 sequences of 3 steps of 2 features
  private final FloatBuffer buffer = FloatBuffer.wrap(flat);
  private final float[][][] nested = {{{1, 1}, {1, 1}}, {{1, 1}, {1, 1}}};
  private final int[] tokens = {0, 1, 2, 3};
  private final int[][] nestedTokens = {{0, 1}, {2, 3}};

  @TestFactory
  Stream<DynamicTest> floatsRefuse() {
    float[][][] nullStep = {{null}, {{1, 1}, null}};
    float[][][] narrow = {{{1, 1}}, {{1, 1}, {1}}};
    Workspace closed = new Workspace();
    closed.close();
    return Stream.of(
        refusal("null array", NULL, () -> PackedSequence.ofPadded((float[]) null, LENGTHS, TIME_FIRST, 2), "padded is"),
        refusal(
            "null buffer", NULL, () -> PackedSequence.ofPadded((FloatBuffer) null, LENGTHS, TIME_FIRST, 2), "padded"),
        refusal(
            "null nested", NULL, () -> PackedSequence.ofPadded((float[][][]) null, LENGTHS, TIME_FIRST, 2), "padded"),
        refusal("null lengths", NULL, () -> PackedSequence.ofPadded(flat, null, BATCH_FIRST, 2), "lengths is null"),
        refusal("null order", NULL, () -> PackedSequence.ofPadded(flat, LENGTHS, null, 2), "order is null"),
        refusal(
            "null workspace", NULL, () -> PackedSequence.ofPadded(null, flat, LENGTHS, BATCH_FIRST, 2), "workspace"),
        refusal(
            "closed workspace", STATE, () -> PackedSequence.ofPadded(closed, flat, LENGTHS, BATCH_FIRST, 2), "closed"),
        refusal("no features", ARGUMENT, () -> PackedSequence.ofPadded(flat, LENGTHS, BATCH_FIRST, 0), "features is 0"),
        refusal(
            "size",
            ARGUMENT,
            () -> PackedSequence.ofPadded(new float[13], LENGTHS, BATCH_FIRST, 2),
            "size of padded is 13",
            "sequences * features = 2 * 2"),
        refusal(
            "values of no sequences",
            ARGUMENT,
            () -> PackedSequence.ofPadded(flat, new int[0], BATCH_FIRST, 2),
            "size of padded is 12"),
        refusal(
            "features far too many",
            ARGUMENT,
            () -> PackedSequence.ofPadded(flat, LENGTHS, BATCH_FIRST, Integer.MAX_VALUE),
            "size of padded is 12"),
        refusal(
            "features of 2^32 + 2 values a step, 2 as an int",
            ARGUMENT,
            () -> PackedSequence.ofPadded(new float[2], new int[] {1, 1, 1}, TIME_FIRST, 1_431_655_766),
            "size of padded is 2",
            "3 * 1431655766"),
        refusal(
            "length beyond the padding",
            ARGUMENT,
            () -> PackedSequence.ofPadded(buffer, new int[] {3, 4}, TIME_FIRST, 2),
            "lengths[1] is 4: expected 0 to 3"),
        refusal(
            "negative length",
            ARGUMENT,
            () -> PackedSequence.ofPadded(flat, new int[] {-1, 2}, TIME_FIRST, 2),
            "lengths[0] is -1"),
        refusal("null step", NULL, () -> PackedSequence.ofPadded(nullStep, LENGTHS, BATCH_FIRST, 2), "[0][0] is null"),
        refusal("narrow step", ARGUMENT, () -> PackedSequence.ofPadded(narrow, LENGTHS, BATCH_FIRST, 2), "[1][1] is 1"),
        refusal(
            "other number of sequences",
            ARGUMENT,
            () -> PackedSequence.ofPadded(nested, new int[] {1}, TIME_FIRST, 2),
            "number of sequences of padded[0] is 2: expected 1"),
        refusal(
            "null sequence",
            NULL,
            () -> PackedSequence.ofPadded(new float[][][] {null, null}, LENGTHS, BATCH_FIRST, 2),
            "padded[0] is null"));
  }

  @TestFactory
  Stream<DynamicTest> unpaddingRefuses() {
    PackedSequence batch = PackedSequence.of(new float[][][] {{{1, 2}}, {{3, 4}, {5, 6}}}, 2);
    PackedSequence closed = PackedSequence.of(new float[][][] {{{1, 2}}}, 2);
    closed.close();
    FloatBuffer readOnly = buffer.asReadOnlyBuffer();
    // 2^20 empty sequences of 2^30 steps of 2^14 features are 2^64 values: 0 as a long.
    PackedSequence empty = PackedSequence.of(new float[1 << 20][0][], 1 << 14);
    return Stream.of(
        refusal("null array", NULL, () -> batch.toPadded((float[]) null, BATCH_FIRST, 3, 0), "to is null"),
        refusal("null buffer", NULL, () -> batch.toPadded((FloatBuffer) null, BATCH_FIRST, 3, 0), "to is null"),
        refusal("null order", NULL, () -> batch.toPadded(flat, null, 3, 0), "order is null"),
        refusal("too few steps", ARGUMENT, () -> batch.toPadded(flat, TIME_FIRST, 1, 0), "totalSteps is 1: expected 2"),
        refusal("small array", ARGUMENT, () -> batch.toPadded(flat, TIME_FIRST, 4, 0), "size of to is 12", "2 * 4 * 2"),
        refusal("large array", ARGUMENT, () -> batch.toPadded(flat, TIME_FIRST, 2, 0), "size of to is 12", "2 * 2 * 2"),
        refusal("read-only", ARGUMENT, () -> batch.toPadded(readOnly, BATCH_FIRST, 3, 0), "to is a read-only buffer"),
        refusal("overflow", ARGUMENT, () -> empty.toPadded(new float[0], BATCH_FIRST, 1 << 30, 0), "size of to is 0"),
        refusal("closed", STATE, () -> closed.toPadded(new float[2], BATCH_FIRST, 1, 0), "PackedSequence is closed"),
        refusal("rows to null", NULL, () -> batch.toPacked(null), "to is null"),
        refusal(
            "rows to small", ARGUMENT, () -> batch.toPacked(FloatBuffer.allocate(5)), "size of to is 5: expected 6"),
        refusal("rows to read-only", ARGUMENT, () -> batch.toPacked(readOnly), "to is a read-only buffer"),
        refusal("rows of closed", STATE, () -> closed.toPacked(FloatBuffer.allocate(2)), "PackedSequence is closed"));
  }

  @TestFactory
  Stream<DynamicTest> tokensRefuse() {
    int[][] ragged = {{0, 1}, {2}};
    PackedTokens batch = PackedTokens.of(new int[][] {{1}, {2, 3}}, 4);
    PackedTokens closed = PackedTokens.of(new int[][] {{1}}, 4);
    closed.close();
    IntBuffer readOnly = IntBuffer.allocate(4).asReadOnlyBuffer();
    return Stream.of(
        refusal(
            "null array", NULL, () -> PackedTokens.ofPadded((int[]) null, LENGTHS, BATCH_FIRST, 4), "padded is null"),
        refusal(
            "null buffer", NULL, () -> PackedTokens.ofPadded((IntBuffer) null, LENGTHS, BATCH_FIRST, 4), "padded is"),
        refusal("null nested", NULL, () -> PackedTokens.ofPadded((int[][]) null, LENGTHS, BATCH_FIRST, 4), "padded is"),
        refusal("null lengths", NULL, () -> PackedTokens.ofPadded(tokens, null, BATCH_FIRST, 4), "lengths is null"),
        refusal("null order", NULL, () -> PackedTokens.ofPadded(tokens, LENGTHS, null, 4), "order is null"),
        refusal(
            "null workspace", NULL, () -> PackedTokens.ofPadded(null, tokens, LENGTHS, BATCH_FIRST, 4), "workspace"),
        refusal(
            "no vocabulary", ARGUMENT, () -> PackedTokens.ofPadded(tokens, LENGTHS, BATCH_FIRST, 0), "vocabulary is"),
        refusal(
            "size", ARGUMENT, () -> PackedTokens.ofPadded(new int[5], LENGTHS, BATCH_FIRST, 4), "size of padded is 5"),
        refusal("ragged", ARGUMENT, () -> PackedTokens.ofPadded(ragged, LENGTHS, TIME_FIRST, 4), "of padded[1] is 1"),
        refusal("length", ARGUMENT, () -> PackedTokens.ofPadded(ragged, LENGTHS, BATCH_FIRST, 4), "lengths[1] is 2"),
        refusal(
            "nested token",
            ARGUMENT,
            () -> PackedTokens.ofPadded(nestedTokens, LENGTHS, TIME_FIRST, 3),
            "token padded[1][1] is 3",
            "below 3"),
        refusal(
            "flat token", ARGUMENT, () -> PackedTokens.ofPadded(tokens, LENGTHS, BATCH_FIRST, 3), "token padded[3] is 3"),
        refusal("label", ARGUMENT, () -> PackedTokens.ofLabels(new int[] {0, 2}, 2), "token labels[1] is 2", "below 2"),
        refusal("null labels", NULL, () -> PackedTokens.ofLabels(null, 2), "labels is null"),
        refusal("labels' workspace", NULL, () -> PackedTokens.ofLabels(null, new int[1], 2), "workspace is null"),
        refusal("to null", NULL, () -> batch.toPadded((int[]) null, BATCH_FIRST, 2, 0), "to is null"),
        refusal("to null order", NULL, () -> batch.toPadded(null, 2, 0), "order is null"),
        refusal("to few steps", ARGUMENT, () -> batch.toPadded(BATCH_FIRST, 1, 0), "totalSteps is 1: expected 2"),
        refusal("to another size", ARGUMENT, () -> batch.toPadded(new int[5], BATCH_FIRST, 2, 0), "size of to is 5"),
        refusal(
            "to read-only", ARGUMENT, () -> batch.toPadded(readOnly, BATCH_FIRST, 2, 0), "to is a read-only buffer"),
        refusal("closed", STATE, () -> closed.toPadded(BATCH_FIRST, 1, 0), "PackedTokens is closed"),
        refusal("closed reversed", STATE, closed::reversed, "PackedTokens is closed"));
  }

  @TestFactory
  Stream<DynamicTest> concatenationsRefuse() {
    PackedSequence batch = PackedSequence.of(new float[][][] {{{1, 2}}, {{3, 4}, {5, 6}}}, 2);
    PackedTokens tokenBatch = PackedTokens.of(new int[][] {{1}, {2, 3}}, 4);
    PackedSequence closed = PackedSequence.of(new float[][][] {{{1, 2}}}, 2);
    closed.close();
    IntBuffer four = IntBuffer.wrap(tokens);
    int[] negative = {-1, 2};
    return Stream.of(
        refusal("null values", NULL, () -> PackedSequence.ofConcatenated(null, LENGTHS, 2), "values is null"),
        refusal("null lengths", NULL, () -> PackedSequence.ofConcatenated(buffer, null, 2), "lengths is null"),
        refusal(
            "null workspace", NULL, () -> PackedSequence.ofConcatenated(null, buffer, LENGTHS, 2), "workspace is null"),
        refusal("no features", ARGUMENT, () -> PackedSequence.ofConcatenated(buffer, LENGTHS, 0), "features is 0"),
        refusal("negative", ARGUMENT, () -> PackedSequence.ofConcatenated(buffer, negative, 2), "lengths[0] is -1"),
        refusal(
            "size",
            ARGUMENT,
            () -> PackedSequence.ofConcatenated(buffer, LENGTHS, 2),
            "size of values is 12",
            "sum of lengths * features = 3 * 2"),
        refusal(
            "size beyond a long",
            ARGUMENT,
            () -> PackedSequence.ofConcatenated(buffer, new int[] {1 << 30, 1 << 30}, 1 << 30),
            "size of values is 12"),
        refusal("to null", NULL, () -> batch.toConcatenated(null), "to is null"),
        refusal("to small", ARGUMENT, () -> batch.toConcatenated(FloatBuffer.allocate(5)), "size of to is 5"),
        refusal(
            "to read-only", ARGUMENT, () -> batch.toConcatenated(buffer.asReadOnlyBuffer()), "to is a read-only buffer"),
        refusal("closed", STATE, () -> closed.toConcatenated(FloatBuffer.allocate(2)), "PackedSequence is closed"),
        refusal("null tokens", NULL, () -> PackedTokens.ofConcatenated(null, LENGTHS, 4), "tokens is null"),
        refusal("tokens' lengths", NULL, () -> PackedTokens.ofConcatenated(four, null, 4), "lengths is null"),
        refusal("tokens' size", ARGUMENT, () -> PackedTokens.ofConcatenated(four, LENGTHS, 4), "size of tokens is 4"),
        refusal(
            "token", ARGUMENT, () -> PackedTokens.ofConcatenated(four, new int[] {4}, 3), "token tokens[3] is 3"),
        refusal("tokens to null", NULL, () -> tokenBatch.toConcatenated(null), "to is null"),
        refusal(
            "tokens to small", ARGUMENT, () -> tokenBatch.toConcatenated(IntBuffer.allocate(2)), "size of to is 2"));
  }

  @Test
  void refusedBatchesLeaveNoMemoryBehind() {
    Expect.refusedWithoutLeak(ARGUMENT, () -> PackedSequence.ofPadded(flat, new int[] {1, 4}, BATCH_FIRST, 2));
    Expect.refusedWithoutLeak(ARGUMENT, () -> PackedTokens.ofPadded(tokens, LENGTHS, BATCH_FIRST, 3));
  }
}
