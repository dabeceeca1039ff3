package dev.unroll.layer;

import static dev.unroll.Expect.refusal;
import static dev.unroll.Expect.refused;
import static dev.unroll.Expect.refusedWithoutLeak;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.Expect;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/** Every wrong argument of the layers without time, their parameters, and states. */
class LayerAbuseTest {
  private static final Class<NullPointerException> NULL = NullPointerException.class;
  private static final Class<IllegalArgumentException> ARGUMENT = IllegalArgumentException.class;
  private static final Class<IllegalStateException> STATE = IllegalStateException.class;

  private final Linear linear = new Linear(3, 5, 1);
  private final Embedding embedding = new Embedding(7, 3, 2);
  private final Softmax softmax = new Softmax();
  private final PackedTokens tokens = PackedTokens.of(new int[][] {{0, 6}, {}, {3}}, 7);
  private final PackedTokens otherTokens = PackedTokens.of(new int[][] {{0, 6}, {}, {3}}, 8);
  private final PackedSequence three = ones(3, 2, 0, 1);
  private final PackedSequence five = ones(5, 2, 0, 1);
  private final PackedSequence threeReordered = ones(3, 1, 0, 2);
  private final PackedSequence fiveReordered = ones(5, 1, 0, 2);
  private final PackedSequence closedThree = ones(3, 2, 0, 1);
  private final PackedSequence closedFive = ones(5, 2, 0, 1);
  private final PackedTokens closedTokens = PackedTokens.of(new int[][] {{0, 6}, {}, {3}}, 7);

  LayerAbuseTest() {
    linear.backward(three, five).close();
    embedding.backward(tokens, three);
    closedThree.close();
    closedFive.close();
    closedTokens.close();
  }

  @AfterEach
  void closeAll() {
    List.of(linear, embedding).forEach(Layer::close);
    List.of(tokens, otherTokens).forEach(PackedTokens::close);
    List.of(three, five, threeReordered, fiveReordered).forEach(PackedSequence::close);
  }

  private static PackedSequence ones(int features, int... lengths) {
    float[][] sequences = new float[lengths.length][];
    for (int i = 0; i < lengths.length; i++) {
      sequences[i] = new float[lengths[i] * features];
      Arrays.fill(sequences[i], 1);
    }
    return PackedSequence.ofFlat(sequences, features);
  }

  @TestFactory
  Stream<DynamicTest> constructorsRefuse() {
    return Stream.of(
        refusal("linear without inputs", ARGUMENT, () -> new Linear(0, 1, 0), "inputSize is 0", "1 or more"),
        refusal("linear with negative outputs", ARGUMENT, () -> new Linear(1, -2, 0), "outputSize is -2"),
        refusal("linear too large", ARGUMENT, () -> new Linear(1 << 16, 1 << 16, 0), "weight", "4294967296"),
        refusal(
            "largest sizes", ARGUMENT, () -> new Linear(Integer.MAX_VALUE, Integer.MAX_VALUE, 0), "weight", "2^31 - 1"),
        refusal("embedding without tokens", ARGUMENT, () -> new Embedding(0, 1, 0), "vocabulary is 0", "1 or more"),
        refusal("embedding of negative size", ARGUMENT, () -> new Embedding(1, -1, 0), "size is -1", "1 or more"),
        refusal("embedding too large", ARGUMENT, () -> new Embedding(1 << 16, 1 << 16, 0), "weight", "4294967296"));
  }

  @TestFactory
  Stream<DynamicTest> softmaxRefusesTemperature() {
    return DoubleStream.of(0, -1, -0.0, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1e-60, 1e60)
        .mapToObj(t -> refusal("temperature " + t, ARGUMENT, () -> new Softmax(t), "temperature is " + t, "expected"));
  }

  @TestFactory
  Stream<DynamicTest> softmaxRefuses() {
    return Stream.of(
        refusal("null scores", NULL, () -> softmax.forward(null), "scores is null"),
        refusal("null scores, logarithm", NULL, () -> softmax.logForward(null), "scores is null"),
        refusal("closed scores", STATE, () -> softmax.forward(closedThree), "PackedSequence is closed"),
        refusal("closed scores, logarithm", STATE, () -> softmax.logForward(closedThree), "PackedSequence is closed"),
        refusal("null y", NULL, () -> softmax.backward(null, three), "probabilities is null"),
        refusal("null dy", NULL, () -> softmax.backward(three, null), "probabilitiesGradient is null"),
        refusal("dy features", ARGUMENT, () -> softmax.backward(three, five), "probabilitiesGradient", "5", "3"),
        refusal("dy layout", ARGUMENT, () -> softmax.backward(three, threeReordered), "[1, 0, 2]", "[2, 0, 1]"),
        refusal("closed y", STATE, () -> softmax.backward(closedThree, three), "PackedSequence is closed"),
        refusal("closed dy", STATE, () -> softmax.backward(three, closedThree), "PackedSequence is closed"));
  }

  @TestFactory
  Stream<DynamicTest> linearRefusesAndChangesNoGradient() {
    return unchanged(
        linear,
        Stream.of(
            refusal("null input", NULL, () -> linear.forward(null), "input is null"),
            refusal("input features", ARGUMENT, () -> linear.forward(five), "input features is 5", "expected 3"),
            refusal("closed input", STATE, () -> linear.forward(closedThree), "PackedSequence is closed"),
            refusal("backward null input", NULL, () -> linear.backward(null, five), "input is null"),
            refusal("null gradient", NULL, () -> linear.backward(three, null), "outputGradient is null"),
            refusal("backward features", ARGUMENT, () -> linear.backward(five, five), "input features is 5", "3"),
            refusal("gradient features", ARGUMENT, () -> linear.backward(three, three), "outputGradient", "3", "5"),
            refusal("layout", ARGUMENT, () -> linear.backward(three, fiveReordered), "[1, 0, 2]", "[2, 0, 1]"),
            refusal("backward closed input", STATE, () -> linear.backward(closedThree, five), "is closed"),
            refusal("closed gradient", STATE, () -> linear.backward(three, closedFive), "PackedSequence is closed")));
  }

  @TestFactory
  Stream<DynamicTest> embeddingRefusesAndChangesNoGradient() {
    return unchanged(
        embedding,
        Stream.of(
            refusal("null tokens", NULL, () -> embedding.forward(null), "tokens is null"),
            refusal("vocabulary", ARGUMENT, () -> embedding.forward(otherTokens), "vocabulary of tokens is 8", "7"),
            refusal("closed tokens", STATE, () -> embedding.forward(closedTokens), "PackedTokens is closed"),
            refusal("backward null tokens", NULL, () -> embedding.backward(null, three), "tokens is null"),
            refusal("null gradient", NULL, () -> embedding.backward(tokens, null), "outputGradient is null"),
            refusal("backward vocabulary", ARGUMENT, () -> embedding.backward(otherTokens, three), "8", "7"),
            refusal("gradient features", ARGUMENT, () -> embedding.backward(tokens, five), "outputGradient", "5", "3"),
            refusal("layout", ARGUMENT, () -> embedding.backward(tokens, threeReordered), "[1, 0, 2]", "[2, 0, 1]"),
            refusal("backward closed tokens", STATE, () -> embedding.backward(closedTokens, three), "is closed"),
            refusal("closed gradient", STATE, () -> embedding.backward(tokens, closedThree), "is closed")));
  }

  /** Adds a last test to a table: weights and gradients are what they were before it. */
  static Stream<DynamicTest> unchanged(Layer layer, Stream<DynamicTest> table) {
    float[][] before = content(layer);
    DynamicTest last =
        DynamicTest.dynamicTest("weights and gradients are unchanged", () -> Expect.sameBits(before, content(layer)));
    return Stream.concat(table, Stream.of(last));
  }

  static float[][] content(Layer layer) {
    return layer.parameters().stream().flatMap(p -> Stream.of(p.values(), p.gradient())).toArray(float[][]::new);
  }

  @TestFactory
  Stream<DynamicTest> closedLayersRefuseEverythingAndNameThemselves() {
    linear.close();
    linear.close();
    embedding.close();
    Linear neverUsed = new Linear(3, 5, 1);
    neverUsed.close();
    Parameter fresh = neverUsed.parameters().get(0);
    Parameter used = linear.parameters().get(0);
    String name = "the layer of parameter weight is closed";
    return Stream.of(
        refusal("linear forward", STATE, () -> linear.forward(three), name),
        refusal("linear backward", STATE, () -> linear.backward(three, five), name),
        refusal("linear zeroGradients", STATE, linear::zeroGradients, name),
        refusal("unused linear forward", STATE, () -> neverUsed.forward(three), name),
        refusal("unused linear backward", STATE, () -> neverUsed.backward(three, five), name),
        refusal("embedding forward", STATE, () -> embedding.forward(tokens), name),
        refusal("embedding backward", STATE, () -> embedding.backward(tokens, three), name),
        refusal("values", STATE, used::values, name),
        refusal("gradient", STATE, used::gradient, name),
        refusal("set", STATE, () -> used.set(new float[15]), name),
        refusal("zeroGradient", STATE, used::zeroGradient, name),
        refusal("gradient never used", STATE, fresh::gradient, name),
        refusal("zeroGradient never used", STATE, fresh::zeroGradient, name));
  }

  @Test
  void closedLayerStillKnowsItsShape() {
    linear.close();
    assertEquals("Linear(3 to 5)", linear.toString());
    assertEquals(20, linear.parameterCount());
    assertEquals("weight[5, 3]", linear.parameters().get(0).toString());
  }

  @Test
  void parameterRefusesValuesOfAnotherCountAndKeepsItsOwn() {
    Parameter bias = linear.parameters().get(1);
    float[] before = bias.values();
    refused(NULL, () -> bias.set(null), "newValues is null");
    for (int size : new int[] {0, 4, 6}) {
      refused(ARGUMENT, () -> bias.set(new float[size]), "bias[5]", "is " + size, "expected 5");
    }
    assertArrayEquals(before, bias.values());
  }

  @Test
  void whatAParameterGivesOutAreCopies() {
    Parameter weight = linear.parameters().get(0);
    float[][] before = content(linear);
    weight.values()[0] = 99;
    weight.gradient()[0] = 99;
    weight.shape()[0] = 99;
    assertThrows(UnsupportedOperationException.class, () -> linear.parameters().remove(0));
    Expect.sameBits(before, content(linear));
    assertArrayEquals(new int[] {5, 3}, weight.shape());
  }

  @TestFactory
  Stream<DynamicTest> stateRefuses() {
    float[][][] shared = new float[1 << 16][][];
    float[][] sequences = new float[1 << 16][];
    Arrays.fill(sequences, new float[1]);
    Arrays.fill(shared, sequences);
    return Stream.of(
        refusal("null", NULL, () -> State.of(null), "hidden is null"),
        refusal("no entry", ARGUMENT, () -> State.of(new float[0][][]), "entries of hidden is 0", "1 or more"),
        refusal("null entry", NULL, () -> State.of(new float[1][][]), "hidden[0] is null"),
        refusal("no sequence", ARGUMENT, () -> State.of(new float[1][0][]), "sequences of hidden is 0", "1 or more"),
        refusal("null sequence", NULL, () -> State.of(new float[1][1][]), "hidden[0][0] is null"),
        refusal("no units", ARGUMENT, () -> State.of(new float[1][1][0]), "hidden[0][0] is 0", "1 or more"),
        refusal("later null entry", NULL, () -> State.of(new float[][][] {{{1}}, null}), "hidden[1] is null"),
        refusal("later null", NULL, () -> State.of(new float[][][] {{{1}}, {null}}), "hidden[1][0] is null"),
        refusal("sequences differ", ARGUMENT, () -> State.of(new float[][][] {{{1}}, {}}), "hidden[1] is 0", "1"),
        refusal("sizes differ", ARGUMENT, () -> State.of(new float[][][] {{{1}, {1, 2}}}), "hidden[0][1] is 2", "1"),
        refusal("more values than an array holds", ARGUMENT, () -> State.of(shared), "hidden"),
        refusal(
            "entries of cells", ARGUMENT, () -> State.of(new float[2][3][4], new float[1][3][4]), "entries of cells is 1"),
        refusal(
            "sequences of cells",
            ARGUMENT,
            () -> State.of(new float[2][3][4], new float[2][2][4]),
            "sequences of cells is 2"));
  }

  @Test
  void closedStateRefusesAndNamesItself() {
    State state = State.of(new float[][][] {{{1, 2}}});
    Expect.sameBits(new float[][][] {{{1, 2}}}, state.hidden());
    state.close();
    state.close();
    refused(STATE, state::hidden, "State is closed");
    assertEquals("State[1, 1, 2]", state.toString());
  }

  @Test
  void refusedCallsLeaveNoMemoryBehind() {
    List<Executable> calls =
        List.of(
            () -> linear.forward(closedThree),
            () -> linear.backward(three, closedFive),
            () -> linear.backward(three, fiveReordered),
            () -> softmax.backward(three, closedThree),
            () -> embedding.forward(closedTokens));
    for (Executable call : calls) {
      RuntimeException thrown = assertThrows(RuntimeException.class, call);
      refusedWithoutLeak(thrown.getClass(), call);
    }
    assertTrue(linear.parameters().get(0).gradient().length > 0);
  }
}
