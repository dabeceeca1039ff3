package dev.unroll.sequence;

import static dev.unroll.Expect.refusal;
import static dev.unroll.Expect.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.Expect;
import dev.unroll.Workspace;
import dev.unroll.internal.Lease;
import dev.unroll.internal.Memory;
import dev.unroll.internal.MemoryNative;
import dev.unroll.internal.MemorySource;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/** Every wrong argument of the batches: what is thrown and what it says. */
class SequenceAbuseTest {
  private static final Class<NullPointerException> NULL = NullPointerException.class;
  private static final Class<IllegalArgumentException> ARGUMENT = IllegalArgumentException.class;
  private static final Class<IllegalStateException> STATE = IllegalStateException.class;

  @TestFactory
  Stream<DynamicTest> layoutRefuses() {
    SequenceLayout layout = SequenceLayout.of(2, 0);
    return Stream.of(
        refusal("null lengths", NULL, () -> SequenceLayout.of((int[]) null), "lengths is null"),
        refusal("negative length", ARGUMENT, () -> SequenceLayout.of(1, -2), "lengths[1]", "-2", "0 or more"),
        refusal(
            "too many steps",
            ARGUMENT,
            () -> SequenceLayout.of(Integer.MAX_VALUE, 1),
            "steps and sequences",
            "2147483650",
            "2147483631"),
        refusal("length of a negative sequence", ARGUMENT, () -> layout.length(-1), "sequence", "-1", "below 2"),
        refusal("length of a sequence too far", ARGUMENT, () -> layout.length(2), "sequence", "2", "below 2"),
        refusal("row of a sequence too far", ARGUMENT, () -> layout.row(2, 0), "sequence", "2", "below 2"),
        refusal("row of a negative step", ARGUMENT, () -> layout.row(0, -1), "step", "-1", "below 2"),
        refusal("row of a step too far", ARGUMENT, () -> layout.row(0, 2), "step", "2", "below 2"),
        refusal("row of an empty sequence", ARGUMENT, () -> layout.row(1, 0), "step", "0", "below 0"));
  }

  @Test
  void longestLegalSequenceIsRefusedOrHasNoMemory() {
    isTooLarge(() -> SequenceLayout.of(Integer.MAX_VALUE - 1));
  }

  @TestFactory
  Stream<DynamicTest> packedSequenceRefuses() {
    float[][][] right = {{{1, 2, 3}}};
    float[][][] nullSequence = {{{1, 2, 3}}, null};
    float[][][] nullStep = {{}, {null}};
    float[][][] ragged = {{{1, 2, 3}}, {{1, 2, 3}, {1, 2}}};
    return Stream.of(
        refusal("null workspace", NULL, () -> PackedSequence.of(null, right, 3), "workspace is null"),
        refusal("null sequences", NULL, () -> PackedSequence.of(null, 3), "sequences is null"),
        refusal("null sequence", NULL, () -> PackedSequence.of(nullSequence, 3), "sequences[1] is null"),
        refusal("null step", NULL, () -> PackedSequence.of(nullStep, 3), "sequences[1][0] is null"),
        refusal("no features", ARGUMENT, () -> PackedSequence.of(right, 0), "features is 0", "1 or more"),
        refusal("negative features", ARGUMENT, () -> PackedSequence.of(right, -3), "features is -3", "1 or more"),
        refusal("ragged step", ARGUMENT, () -> PackedSequence.of(ragged, 3), "sequences[1][1] is 2", "expected 3"),
        refusal("step too long", ARGUMENT, () -> PackedSequence.of(right, 2), "sequences[0][0] is 3", "expected 2"),
        refusal("flat null", NULL, () -> PackedSequence.ofFlat(null, 3), "sequences is null"),
        refusal("flat null sequence", NULL, () -> PackedSequence.ofFlat(new float[2][], 3), "sequences[0] is null"),
        refusal("flat no features", ARGUMENT, () -> PackedSequence.ofFlat(new float[1][3], 0), "features is 0"),
        refusal(
            "flat size",
            ARGUMENT,
            () -> PackedSequence.ofFlat(new float[][] {{}, {1, 2}}, 3),
            "sequences[1] is 2",
            "features = 3"));
  }

  @TestFactory
  Stream<DynamicTest> arraysToUnpackToAreChecked() {
    PackedSequence batch = PackedSequence.of(new float[][][] {{{1, 2}}, {{3, 4}, {5, 6}}}, 2);
    float[][][] nullStep = {{{0, 0}}, {{0, 0}, null}};
    float[][][] ragged = {{{0, 0}}, {{0, 0}, {0}}};
    float[][] shortSequence = {{0, 0}, {0, 0, 0}};
    return Stream.of(
        refusal("null", NULL, () -> batch.toArrays(null), "to is null"),
        refusal("null sequence", NULL, () -> batch.toArrays(new float[2][][]), "to[0] is null"),
        refusal("null step", NULL, () -> batch.toArrays(nullStep), "to[1][1] is null"),
        refusal("sequences", ARGUMENT, () -> batch.toArrays(new float[3][][]), "number of sequences of to is 3", "2"),
        refusal("steps", ARGUMENT, () -> batch.toArrays(new float[2][2][2]), "number of steps of to[0] is 2", "1"),
        refusal("ragged", ARGUMENT, () -> batch.toArrays(ragged), "number of values in to[1][1] is 1", "2"),
        refusal("flat null", NULL, () -> batch.toFlatArrays(null), "to is null"),
        refusal("flat null sequence", NULL, () -> batch.toFlatArrays(new float[2][]), "to[0] is null"),
        refusal("flat sequences", ARGUMENT, () -> batch.toFlatArrays(new float[1][2]), "number of sequences of to is 1"),
        refusal("flat size", ARGUMENT, () -> batch.toFlatArrays(shortSequence), "size of to[1] is 3", "expected 4"));
  }

  @TestFactory
  Stream<DynamicTest> featureCountFarTooLargeIsRefusedBeforeMemoryIsTaken() {
    int far = Integer.MAX_VALUE;
    float[][][] two = {{{1}, {1}}};
    return Stream.of(
        refusal("one step", ARGUMENT, () -> PackedSequence.of(new float[][][] {{{1}}}, far), "sequences[0][0]", "1"),
        refusal("two steps", ARGUMENT, () -> PackedSequence.of(two, far), "sequences[0][0]", "1"),
        refusal("flat", ARGUMENT, () -> PackedSequence.ofFlat(new float[][] {{1}}, far), "sequences[0]", "1"));
  }

  /** Batches of 2^32 values, or 2^47: multiples of 2^32, so that a product cut to an int would be 0. */
  @TestFactory
  Stream<DynamicTest> sizesBeyondAnIntAreNotCutToIt() {
    int many = 1 << 16;
    SequenceLayout layout = SequenceLayout.of(many);
    PackedSequence batch = new PackedSequence(layout, many, Memory.zeroed(0, "test"), 0);
    FloatBuffer none = FloatBuffer.allocate(0);
    MemorySource source = MemorySource.SYSTEM;
    return Stream.of(
        refusal("packed", ARGUMENT, () -> PackedSequence.ofPacked(none, layout, many), "is 0: expected 4294967296"),
        refusal("wrapped", ARGUMENT, () -> PackedSequence.wrap(none, layout, many), "is 0: expected 4294967296"),
        refusal("to packed", ARGUMENT, () -> batch.toPacked(none), "is 0: expected 4294967296"),
        refusal("to arrays", ARGUMENT, batch::toFlatArrays, "size of sequence 0 is 4294967296: expected at most"),
        refusal(
            "memory",
            OutOfMemoryError.class,
            () -> PackedSequence.allocate(source, SequenceLayout.of(1 << 17), 1 << 30),
            (1L << 49) + " bytes"));
  }

  /** The batch begins so far before its memory that only the row of this step is in it. */
  @Test
  void stepBeyondFourGigabytesIsReadWhereItIs() {
    int step = 1 << 20;
    int features = 1 << 10;
    float[] values = new float[features];
    Arrays.fill(values, 3);
    try (Memory memory = Memory.zeroed((long) features * Float.BYTES, "test");
        Lease lease = new Lease()) {
      MemoryNative.putFloats(lease.address(memory), values, 0, features);
      long offset = -(long) step * features * Float.BYTES;
      try (PackedSequence batch = new PackedSequence(SequenceLayout.of(step + 1), features, memory, offset)) {
        assertArrayEquals(values, batch.step(0, step));
      }
    }
  }

  /** Not documented, but public: what it refers to has to be there. */
  @Test
  void viewBeyondItsMemoryIsRefused() {
    SequenceLayout layout = SequenceLayout.of(3);
    try (Memory memory = Memory.zeroed(24, "test")) {
      refused(ARGUMENT, () -> PackedSequence.view(layout, 3, memory, 0), "size of a view is 36 after 0: expected at most 24");
      refused(ARGUMENT, () -> PackedSequence.view(layout, 2, memory, 4), "24 after 4");
      refused(ARGUMENT, () -> PackedSequence.view(layout, 2, memory, -4), "24 after -4");
      PackedSequence.view(layout, 2, memory, 0).close();
    }
  }

  @TestFactory
  Stream<DynamicTest> packedTokensRefuse() {
    int[][] right = {{1, 2}};
    PackedSequence closedScores = PackedSequence.of(new float[][][] {{{1, 2}}}, 2);
    closedScores.close();
    return Stream.of(
        refusal("null workspace", NULL, () -> PackedTokens.of(null, right, 3), "workspace is null"),
        refusal("null scores", NULL, () -> PackedTokens.ofLargest(null), "scores is null"),
        refusal("labels", ARGUMENT, () -> PackedTokens.of(right, 3).toLabels(), "layout of tokens is lengths [2]"),
        refusal("null table", NULL, () -> PackedTokens.of(right, 3).lookUp(null), "table is null"),
        refusal("table", ARGUMENT, () -> PackedTokens.of(right, 3).lookUp(new float[4]), "size of table is 4"),
        refusal("closed scores", STATE, () -> PackedTokens.ofLargest(closedScores), "PackedSequence is closed"),
        refusal("null sequences", NULL, () -> PackedTokens.of(null, 3), "sequences is null"),
        refusal("null sequence", NULL, () -> PackedTokens.of(new int[][] {{1}, null}, 3), "sequences[1] is null"),
        refusal("no vocabulary", ARGUMENT, () -> PackedTokens.of(right, 0), "vocabulary is 0", "1 or more"),
        refusal("negative vocabulary", ARGUMENT, () -> PackedTokens.of(right, -1), "vocabulary is -1"),
        refusal("token too large", ARGUMENT, () -> PackedTokens.of(right, 2), "sequences[0][1] is 2", "below 2"),
        refusal(
            "negative token", ARGUMENT, () -> PackedTokens.of(new int[][] {{}, {-1}}, 2), "sequences[1][0] is -1", "StepSelection"));
  }

  @TestFactory
  Stream<DynamicTest> closedBatchRefusesAndNamesItself() {
    PackedSequence batch = PackedSequence.of(new float[][][] {{{1}}}, 1);
    PackedTokens tokens = PackedTokens.of(new int[][] {{0}}, 1);
    batch.close();
    tokens.close();
    return Stream.of(
        refusal("toArrays", STATE, () -> batch.toArrays(), "PackedSequence is closed"),
        refusal("toFlatArrays", STATE, () -> batch.toFlatArrays(), "PackedSequence is closed"),
        refusal("to arrays", STATE, () -> batch.toArrays(new float[1][1][1]), "PackedSequence is closed"),
        refusal("to flat arrays", STATE, () -> batch.toFlatArrays(new float[1][1]), "PackedSequence is closed"),
        refusal("step", STATE, () -> batch.step(0, 0), "PackedSequence is closed"),
        refusal("tokens", STATE, tokens::toArrays, "PackedTokens is closed"));
  }

  @Test
  void closedBatchStillKnowsItsShape() {
    PackedSequence batch = PackedSequence.of(new float[][][] {{{1, 2}}}, 2);
    batch.close();
    assertEquals(2, batch.features());
    assertEquals(SequenceLayout.of(1), batch.layout());
    assertEquals("PackedSequence(features 2, lengths [1])", batch.toString());
  }

  @Test
  void wrongStepOfABatchIsNamed() {
    try (PackedSequence batch = PackedSequence.of(new float[][][] {{{1}}}, 1)) {
      refused(ARGUMENT, () -> batch.step(1, 0), "sequence is 1", "below 1");
      refused(ARGUMENT, () -> batch.step(0, 1), "step is 1", "below 1");
      refused(ARGUMENT, () -> batch.step(0, -1), "step is -1", "below 1");
    }
  }

  @Test
  void refusedBatchLeavesNoMemoryBehind() {
    Expect.refusedWithoutLeak(ARGUMENT, () -> PackedSequence.of(new float[][][] {{{1, 2}}, {{1}}}, 2));
    Expect.refusedWithoutLeak(NULL, () -> PackedSequence.ofFlat(new float[][] {{1, 2}, null}, 2));
    Expect.refusedWithoutLeak(ARGUMENT, () -> PackedTokens.of(new int[][] {{1, 2}}, 2));
  }

  @Test
  void closedWorkspaceRefusesAndNamesItself() {
    Workspace workspace = new Workspace();
    workspace.close();
    workspace.close();
    refused(STATE, () -> PackedSequence.of(workspace, new float[1][1][1], 1), "Workspace is closed");
    refused(STATE, () -> PackedTokens.of(workspace, new int[1][1], 1), "Workspace is closed");
  }

  /** Another thread swaps sequences for shorter ones: whatever comes out, it is values of those arrays. */
  @Test
  void sequencesSwappedWhileTheyArePackedAreNeverReadBeyondTheirEnd() throws InterruptedException {
    float[] few = {1};
    float[] many = new float[256];
    Arrays.fill(many, 1);
    float[][] sequences = new float[16][];
    Arrays.fill(sequences, many);
    AtomicBoolean done = new AtomicBoolean();
    Thread swapper =
        new Thread(
            () -> {
              for (int i = 0; !done.get(); i++) {
                Arrays.fill(sequences, i % 2 == 0 ? few : many);
              }
            });
    swapper.start();
    int foreign = 0;
    try {
      for (int round = 0; round < 3000; round++) {
        try (PackedSequence batch = PackedSequence.ofFlat(sequences, 1)) {
          for (float[] sequence : batch.toFlatArrays()) {
            for (float value : sequence) {
              foreign += value == 1 ? 0 : 1;
            }
          }
        }
      }
    } finally {
      done.set(true);
      swapper.join();
    }
    assertEquals(0, foreign, "values that are in no sequence");
  }

  /** And with arrays that are written. */
  @Test
  void arraysSwappedWhileTheyAreUnpackedToAreNeverWrittenBeyondTheirEnd() throws InterruptedException {
    float[][] sequences = new float[16][256];
    float[][] to = new float[16][256];
    AtomicBoolean done = new AtomicBoolean();
    Thread swapper =
        new Thread(
            () -> {
              while (!done.get()) {
                Arrays.fill(to, new float[1]);
                Arrays.fill(to, new float[256]);
              }
            });
    try (PackedSequence batch = PackedSequence.ofFlat(sequences, 1)) {
      swapper.start();
      for (int round = 0; round < 3000; round++) {
        try {
          batch.toFlatArrays(to);
        } catch (IllegalArgumentException e) {
          assertTrue(e.getMessage().startsWith("size of to["), e::getMessage);
        }
      }
    } finally {
      done.set(true);
      swapper.join();
    }
    System.gc(); // reads every header on the heap
  }

  /** The same with steps, each of the number of features or shorter: what is not refused has values of those arrays. */
  @Test
  void stepsSwappedWhileTheyArePackedAreNeverReadBeyondTheirEnd() throws InterruptedException {
    float[] few = {1};
    float[] many = new float[64];
    Arrays.fill(many, 1);
    float[][][] sequences = new float[1][32][];
    Arrays.fill(sequences[0], many);
    AtomicBoolean done = new AtomicBoolean();
    Thread swapper =
        new Thread(
            () -> {
              for (int i = 0; !done.get(); i++) {
                sequences[0][i % 32] = i % 3 == 0 ? few : many;
              }
            });
    swapper.start();
    try {
      for (int round = 0; round < 3000; round++) {
        try (PackedSequence batch = PackedSequence.of(sequences, 64)) {
          assertTrue(Arrays.stream(batch.toArrays()[0]).allMatch(step -> Arrays.equals(step, many)));
        } catch (IllegalArgumentException e) {
          assertTrue(e.getMessage().startsWith("number of values in sequences[0]"), e::getMessage);
        }
      }
    } finally {
      done.set(true);
      swapper.join();
    }
  }

  private static void isTooLarge(Executable call) {
    Throwable thrown = assertThrows(Throwable.class, call);
    assertTrue(thrown instanceof IllegalArgumentException || thrown instanceof OutOfMemoryError, thrown::toString);
  }
}
