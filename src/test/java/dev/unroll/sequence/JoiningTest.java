package dev.unroll.sequence;

import static dev.unroll.Expect.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.Expect;
import dev.unroll.Unroll;
import dev.unroll.layer.Lstm;
import dev.unroll.layer.RecurrentOutput;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** Batches joined over their sequences. */
class JoiningTest {
  private static final Class<IllegalArgumentException> ARGUMENT = IllegalArgumentException.class;

  @Property(tries = 100)
  void joinedBatchesAreTheSequencesOneAfterTheOther(
      @ForAll @Size(min = 1, max = 4) List<@Size(max = 5) List<@IntRange(max = 6) Integer>> lengths,
      @ForAll @IntRange(min = 1, max = 20) int features,
      @ForAll long seed) {
    Random random = new Random(seed);
    float[][][][] values =
        lengths.stream()
            .map(
                batch ->
                    batch.stream()
                        .map(length -> new float[length][features])
                        .peek(sequence -> fill(sequence, random))
                        .toArray(float[][][]::new))
            .toArray(float[][][][]::new);
    List<PackedSequence> batches = Arrays.stream(values).map(v -> PackedSequence.of(v, features)).toList();
    int[][][] tokens =
        lengths.stream()
            .map(batch -> batch.stream().map(length -> random.ints(length, 0, 9).toArray()).toArray(int[][]::new))
            .toArray(int[][][]::new);
    List<PackedTokens> tokenBatches = Arrays.stream(tokens).map(t -> PackedTokens.of(t, 9)).toList();
    try (PackedSequence joined = PackedSequence.join(batches);
        PackedTokens joinedTokens = PackedTokens.join(tokenBatches)) {
      Expect.sameBits(Stream.of(values).flatMap(Stream::of).toArray(float[][][]::new), joined.toArrays());
      assertArrayEquals(Stream.of(tokens).flatMap(Stream::of).toArray(int[][]::new), joinedTokens.toArrays());
    } finally {
      batches.forEach(PackedSequence::close);
      tokenBatches.forEach(PackedTokens::close);
    }
  }

  private static void fill(float[][] sequence, Random random) {
    for (float[] step : sequence) {
      for (int j = 0; j < step.length; j++) {
        step[j] = Float.intBitsToFloat(random.nextInt()); // denormals and NaN too
      }
    }
  }

  @Test
  void requestsOfSeveralClientsGetWhatTheyGetAlone() {
    Random random = new Random(3);
    List<PackedSequence> requests =
        IntStream.of(4, 0, 9)
            .mapToObj(length -> new float[][][] {new float[length][3], new float[2][3]})
            .peek(batch -> Stream.of(batch).flatMap(Stream::of).forEach(step -> step[1] = random.nextFloat()))
            .map(batch -> PackedSequence.of(batch, 3))
            .toList();
    try (Lstm lstm = Lstm.builder(3, 7).seed(1).build();
        PackedSequence all = PackedSequence.join(requests);
        RecurrentOutput together = lstm.infer(all)) {
      for (int i = 0; i < requests.size(); i++) {
        try (RecurrentOutput alone = lstm.infer(requests.get(i));
            PackedSequence part =
                StepSelection.ofSequences(all.layout(), 2 * i, 2 * i + 1).select(together.outputs())) {
          Expect.sameBits(alone.outputs().toArrays(), part.toArrays());
        }
      }
    } finally {
      requests.forEach(PackedSequence::close);
    }
  }

  @Test
  void wrongBatchesAreRefusedAndKeepNothing() {
    try (PackedSequence two = PackedSequence.of(new float[][][] {{{1, 2}}}, 2);
        PackedSequence three = PackedSequence.of(new float[][][] {{{1, 2, 3}}}, 3);
        PackedTokens five = PackedTokens.of(new int[][] {{1}}, 5);
        PackedTokens six = PackedTokens.of(new int[][] {{1}}, 6)) {
      PackedSequence closed = PackedSequence.of(new float[][][] {{{1, 2}}}, 2);
      closed.close();
      PackedTokens closedTokens = PackedTokens.of(new int[][] {{1}}, 5);
      closedTokens.close();
      long before = Unroll.liveBytes();
      refused(NullPointerException.class, () -> PackedSequence.join(null), "batches is null");
      refused(NullPointerException.class, () -> PackedTokens.join(null), "batches is null");
      refused(ARGUMENT, () -> PackedSequence.join(List.of()), "number of batches is 0");
      refused(NullPointerException.class, () -> PackedSequence.join(Arrays.asList(two, null)), "batches[1] is null");
      refused(ARGUMENT, () -> PackedSequence.join(List.of(two, three)), "features of batches[1] is 3", "2");
      refused(ARGUMENT, () -> PackedTokens.join(List.of(five, six)), "vocabulary of batches[1] is 6", "5");
      refused(IllegalStateException.class, () -> PackedSequence.join(List.of(two, closed)), "is closed");
      refused(IllegalStateException.class, () -> PackedTokens.join(List.of(five, closedTokens)), "is closed");
      assertEquals(before, Unroll.liveBytes());
    }
  }
}
