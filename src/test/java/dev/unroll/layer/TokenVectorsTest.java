package dev.unroll.layer;

import static dev.unroll.Expect.refused;
import static dev.unroll.Expect.refusedWithoutLeak;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.Expect;
import dev.unroll.Unroll;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import dev.unroll.sequence.TokenVectors;
import java.util.Arrays;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the vectors of distinct tokens are, and which wrong ones are refused. What layers make of them is a property. */
class TokenVectorsTest {
  private static final int[][] SEQUENCES = {{7, 2}, {}, {2, 9, 2, 2}};
  private static final int VOCABULARY = 10;
  private static final int SIZE = 3;

  private final Embedding embedding = new Embedding(VOCABULARY, SIZE, 1);
  private final PackedTokens tokens = PackedTokens.of(SEQUENCES, VOCABULARY);
  private final Gru gru = Gru.builder(SIZE, 5).seed(2).build();

  @AfterEach
  void close() {
    embedding.close();
    tokens.close();
    gru.close();
  }

  private TokenVectors vectors() {
    return TokenVectors.of(tokens, embedding::forward);
  }

  @Test
  void eachDistinctTokenHasAVectorAndEachStepAPlace() {
    try (TokenVectors input = vectors();
        PackedSequence ofSteps = embedding.forward(tokens)) {
      assertArrayEquals(new int[][] {{2, 7, 9}}, input.distinct().toArrays());
      assertEquals(VOCABULARY, input.distinct().vocabulary());
      assertArrayEquals(new int[][] {{1, 0}, {}, {0, 2, 0, 0}}, input.places().toArrays());
      assertArrayEquals(ofSteps.step(0, 0), input.vectors().step(0, 1));
      assertEquals(tokens.layout(), input.layout());
      assertEquals(SIZE, input.features());
      assertEquals("TokenVectors(lengths [2, 0, 4], 3 distinct, 3 features)", input.toString());
    }
  }

  @Test
  void layersMayFollowTheEmbedding() {
    try (Linear linear = new Linear(SIZE, SIZE, 4);
        PackedSequence embedded = embedding.forward(tokens);
        PackedSequence mapped = linear.forward(embedded);
        TokenVectors input =
            TokenVectors.of(
                tokens,
                distinct -> {
                  try (PackedSequence vectors = embedding.forward(distinct)) {
                    return linear.forward(vectors);
                  }
                });
        RecurrentOutput expected = gru.infer(mapped);
        RecurrentOutput actual = gru.infer(input)) {
      Expect.sameBits(expected.outputs().toArrays(), actual.outputs().toArrays());
    }
  }

  /** The sum of the gradients of a token's steps is that of its vector. */
  @Test
  void gradientsOfTheLastStepAndOfLayersWithoutBiasReachTheVectors() {
    try (Gru layer = Gru.builder(SIZE, 5).bias(false).bidirectional(true).seed(6).build();
        TokenVectors input = vectors();
        PackedSequence ofSteps = embedding.forward(tokens);
        RecurrentOutput expected = layer.forward(ofSteps);
        RecurrentOutput actual = layer.forward(input);
        PackedSequence last = actual.last();
        RecurrentGradients expectedGradients = layer.backwardFromLast(expected, last)) {
      embedding.backward(tokens, expectedGradients.input());
      float[] expectedVectors = embedding.parameter("weight").gradient();
      float[] expectedWeights = layer.parameter("weight_ih_l0_reverse").gradient();
      embedding.zeroGradients();
      layer.zeroGradients();
      try (RecurrentGradients gradients = layer.backwardFromLast(actual, last)) {
        embedding.backward(input.distinct(), gradients.input());
      }
      assertArrayEquals(expectedVectors, embedding.parameter("weight").gradient(), 1e-6f); // sums of few terms below 1
      assertArrayEquals(expectedWeights, layer.parameter("weight_ih_l0_reverse").gradient(), 1e-6f);
    }
  }

  /** Equal vectors leave sequences in a sum as they are ordered by what follows, whatever the caller's order. */
  @Test
  void tokensOfEqualVectorsDoNotBringTheOrderOfTheSequencesIntoASum() {
    float[] equal = new float[VOCABULARY * SIZE];
    Arrays.fill(equal, 0.3f);
    embedding.parameter("weight").set(equal);
    int[][] sequences = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}, {2, 2, 1}};
    float[][][] gradients = RandomArrays.sequences(new Random(5), new int[] {3, 3, 3, 3}, 5);
    float[] expected = null;
    for (int[] order : new int[][] {{0, 1, 2, 3}, {3, 1, 0, 2}, {2, 3, 1, 0}}) {
      int[][] permuted = IntStream.of(order).mapToObj(b -> sequences[b]).toArray(int[][]::new);
      float[][][] permutedGradients = IntStream.of(order).mapToObj(b -> gradients[b]).toArray(float[][][]::new);
      try (PackedTokens batch = PackedTokens.of(permuted, VOCABULARY);
          TokenVectors input = TokenVectors.of(batch, embedding::forward);
          PackedSequence dOutputs = PackedSequence.of(permutedGradients, 5);
          RecurrentOutput output = gru.forward(input);
          RecurrentGradients passed = gru.backward(output, dOutputs, null)) {
        embedding.backward(input.distinct(), passed.input());
      }
      float[] sums =
          Stream.of(gru.parameter("weight_ih_l0"), gru.parameter("weight_hh_l0"), embedding.parameter("weight"))
              .map(Parameter::gradient)
              .reduce(new float[0], TokenVectorsTest::join);
      expected = expected == null ? sums : expected;
      assertArrayEquals(Expect.bits(expected), Expect.bits(sums));
      gru.zeroGradients();
      embedding.zeroGradients();
    }
  }

  private static float[] join(float[] a, float[] b) {
    float[] all = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }

  @Test
  void aBatchWithoutStepsHasNoVectors() {
    try (PackedTokens nothing = PackedTokens.of(new int[][] {{}, {}}, VOCABULARY);
        TokenVectors input = TokenVectors.of(nothing, embedding::forward);
        RecurrentOutput output = gru.forward(input);
        RecurrentGradients gradients = gru.backward(output, output.outputs(), output.finalState())) {
      assertEquals(0, input.distinct().layout().rows());
      assertEquals(0, gradients.input().layout().rows());
      embedding.backward(input.distinct(), gradients.input());
    }
  }

  @Test
  void wrongArgumentsAreRefusedAndKeepNothing() {
    refused(NullPointerException.class, () -> TokenVectors.of(null, embedding::forward), "tokens is null");
    refused(NullPointerException.class, () -> TokenVectors.of(tokens, null), "layers is null");
    long before = Unroll.liveBytes();
    refused(NullPointerException.class, () -> TokenVectors.of(tokens, t -> null), "result of layers is null");
    refused(
        IllegalArgumentException.class,
        () -> TokenVectors.of(tokens, t -> embedding.forward(tokens)),
        "layout of result of layers",
        "distinct tokens");
    refusedAfter((given, result) -> result.close(), "PackedSequence is closed");
    refusedAfter((given, result) -> given.close(), "PackedTokens is closed");
    refused(
        IllegalStateException.class,
        () ->
            TokenVectors.of(
                tokens,
                t -> {
                  throw new IllegalStateException("no layers");
                }),
        "no layers");
    assertEquals(before, Unroll.liveBytes());
    try (Gru other = Gru.builder(SIZE + 1, 5).build();
        TokenVectors input = vectors()) {
      refused(IllegalArgumentException.class, () -> other.forward(input), "input features is 3", "4");
    }
  }

  /** Layers that do something to what they were given, or to their result, before they return it. */
  private void refusedAfter(BiConsumer<PackedTokens, PackedSequence> wrong, String message) {
    refused(
        IllegalStateException.class,
        () ->
            TokenVectors.of(
                tokens,
                given -> {
                  PackedSequence result = embedding.forward(given);
                  wrong.accept(given, result);
                  return result;
                }),
        message);
  }

  @Test
  void closedOnesAreRefused() {
    TokenVectors input = vectors();
    try (RecurrentOutput output = gru.forward(input)) {
      input.close();
      refusedWithoutLeak(IllegalStateException.class, () -> gru.infer(input));
      refused(
          IllegalStateException.class,
          () -> gru.backward(output, output.outputs(), null),
          "input of the forward pass is closed");
    }
    try (TokenVectors without = vectors();
        RecurrentOutput output = gru.forward(without)) {
      without.places().close();
      refused(
          IllegalStateException.class,
          () -> gru.backward(output, output.outputs(), null),
          "PackedTokens is closed");
    }
    PackedTokens closed = PackedTokens.of(SEQUENCES, VOCABULARY);
    closed.close();
    refused(IllegalStateException.class, () -> TokenVectors.of(closed, embedding::forward), "PackedTokens is closed");
  }
}
