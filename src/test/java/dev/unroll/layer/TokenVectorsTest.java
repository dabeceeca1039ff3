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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the vectors of distinct tokens are, and which wrong ones are refused; what layers make of them: the properties. */
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
    PackedTokens closed = PackedTokens.of(SEQUENCES, VOCABULARY);
    closed.close();
    refused(IllegalStateException.class, () -> TokenVectors.of(closed, embedding::forward), "PackedTokens is closed");
  }
}
