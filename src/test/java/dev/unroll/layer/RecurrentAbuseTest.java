package dev.unroll.layer;

import static dev.unroll.Expect.refusal;
import static dev.unroll.Expect.refused;
import static dev.unroll.Expect.refusedWithoutLeak;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.unroll.Expect;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.train.Sgd;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/** Every wrong use of recurrent layers: shapes, closed objects, and backward out of turn. */
class RecurrentAbuseTest {
  private static final Class<NullPointerException> NULL = NullPointerException.class;
  private static final Class<IllegalArgumentException> ARGUMENT = IllegalArgumentException.class;
  private static final Class<IllegalStateException> STATE = IllegalStateException.class;

  private final Rnn rnn = builder().build();
  private final PackedSequence input = batch(3, 2, 0, 3);
  private final PackedSequence gradient = batch(8, 2, 0, 3);
  private final State state = State.of(new float[4][3][4]);
  private final RecurrentOutput output = rnn.forward(input);
  private final PackedSequence closedInput = batch(3, 2, 0, 3);
  private final PackedSequence closedGradient = batch(8, 2, 0, 3);
  private final State closedState = State.of(new float[4][3][4]);

  RecurrentAbuseTest() {
    try (RecurrentOutput first = rnn.forward(input, state)) {
      rnn.backward(first, gradient, state).close(); // so that gradients are not zero
    }
    closedInput.close();
    closedGradient.close();
    closedState.close();
  }

  @AfterEach
  void closeAll() {
    output.close();
    rnn.close();
    input.close();
    gradient.close();
    state.close();
  }

  private static Rnn.Builder builder() {
    return Rnn.builder(3, 4).layers(2).bidirectional(true).seed(5);
  }

  private static PackedSequence batch(int features, int... lengths) {
    float[][] sequences = new float[lengths.length][];
    for (int i = 0; i < lengths.length; i++) {
      sequences[i] = new float[lengths[i] * features];
      for (int j = 0; j < sequences[i].length; j++) {
        sequences[i][j] = (i + 1) * 0.1f + j * 0.01f;
      }
    }
    return PackedSequence.ofFlat(sequences, features);
  }

  @TestFactory
  Stream<DynamicTest> builderRefuses() {
    return Stream.of(
        refusal("no input", ARGUMENT, () -> Rnn.builder(0, 1), "inputSize is 0", "1 or more"),
        refusal("negative input", ARGUMENT, () -> Rnn.builder(-7, 1), "inputSize is -7", "1 or more"),
        refusal("no units", ARGUMENT, () -> Rnn.builder(1, 0), "hiddenSize is 0", "1 or more"),
        refusal("negative units", ARGUMENT, () -> Rnn.builder(1, Integer.MIN_VALUE), "hiddenSize is -2147483648"),
        refusal("no layers", ARGUMENT, () -> builder().layers(0), "layers is 0", "1 or more"),
        refusal("negative layers", ARGUMENT, () -> builder().layers(-1), "layers is -1", "1 or more"),
        refusal("null activation", NULL, () -> builder().activation(null), "activation is null"),
        refusal("weights too large", ARGUMENT, () -> Rnn.builder(1, 50_000).build(), "weight_hh_l0", "50000 * 50000"),
        refusal(
            "sizes too large",
            ARGUMENT,
            () -> Rnn.builder(Integer.MAX_VALUE, Integer.MAX_VALUE).build(),
            "weight_ih_l0",
            "2^31 - 1"));
  }

  @Test
  void builderKeepsItsOptionsWhenOneIsRefused() {
    Rnn.Builder builder = builder();
    refused(ARGUMENT, () -> builder.layers(0));
    refused(NULL, () -> builder.activation(null));
    try (Rnn built = builder.build()) {
      Expect.sameBits(weights(rnn), weights(built));
    }
  }

  @TestFactory
  Stream<DynamicTest> forwardRefusesAndChangesNothing() {
    State entries = State.of(new float[2][3][4]);
    State sequences = State.of(new float[4][2][4]);
    State units = State.of(new float[4][3][5]);
    String closed = "PackedSequence is closed";
    return LayerAbuseTest.unchanged(
        rnn,
        Stream.of(
            refusal("null input", NULL, () -> rnn.forward(null), "input is null"),
            refusal("null input with state", NULL, () -> rnn.forward(null, state), "input is null"),
            refusal("input features", ARGUMENT, () -> rnn.forward(gradient), "input features is 8", "expected 3"),
            refusal("entries", ARGUMENT, () -> rnn.forward(input, entries), "layers * directions of initial is 2", "4"),
            refusal("sequences", ARGUMENT, () -> rnn.forward(input, sequences), "sequences of initial is 2", "3"),
            refusal("units", ARGUMENT, () -> rnn.forward(input, units), "hidden size of initial is 5", "4"),
            refusal("closed input", STATE, () -> rnn.forward(closedInput), closed),
            refusal("closed input with state", STATE, () -> rnn.forward(closedInput, state), closed),
            refusal("closed state", STATE, () -> rnn.forward(input, closedState), "State is closed")));
  }

  @TestFactory
  Stream<DynamicTest> backwardRefusesAndChangesNothing() {
    Rnn twin = builder().build();
    RecurrentOutput ofTwin = twin.forward(input);
    RecurrentOutput closedOutput = rnn.forward(input);
    closedOutput.close();
    PackedSequence temporary = batch(3, 2, 0, 3);
    RecurrentOutput ofClosedInput = rnn.forward(temporary);
    temporary.close();
    PackedSequence reordered = batch(8, 3, 0, 2);
    State entries = State.of(new float[5][3][4]);
    State sequences = State.of(new float[4][4][4]);
    State units = State.of(new float[4][3][1]);
    return LayerAbuseTest.unchanged(
        rnn,
        Stream.of(
            refusal("null output", NULL, () -> rnn.backward(null, gradient, null), "output is null"),
            refusal("another layer's output", ARGUMENT, () -> rnn.backward(ofTwin, gradient, null), "output", "this"),
            refusal("features", ARGUMENT, () -> rnn.backward(output, input, null), "outputGradient features is 3", "8"),
            refusal("layout", ARGUMENT, () -> rnn.backward(output, reordered, null), "[3, 0, 2]", "[2, 0, 3]"),
            refusal("entries", ARGUMENT, () -> rnn.backward(output, null, entries), "finalStateGradient is 5", "4"),
            refusal("sequences", ARGUMENT, () -> rnn.backward(output, null, sequences), "finalStateGradient is 4", "3"),
            refusal("units", ARGUMENT, () -> rnn.backward(output, null, units), "finalStateGradient is 1", "4"),
            refusal("closed output", STATE, () -> rnn.backward(closedOutput, null, null), "RecurrentOutput is closed"),
            refusal("closed input", STATE, () -> rnn.backward(ofClosedInput, null, null), "input of the forward pass"),
            refusal("closed gradient", STATE, () -> rnn.backward(output, closedGradient, null), "is closed"),
            refusal("closed state", STATE, () -> rnn.backward(output, null, closedState), "State is closed")));
  }

  @Test
  void secondBackwardIsRefusedAndAddsNothing() {
    rnn.backward(output, gradient, null).close();
    float[][] before = LayerAbuseTest.content(rnn);
    float[][][] outputs = output.outputs().toArrays();
    refused(STATE, () -> rnn.backward(output, gradient, null), "backward has run on this output already");
    Expect.sameBits(before, LayerAbuseTest.content(rnn));
    Expect.sameBits(outputs, output.outputs().toArrays());
  }

  @Test
  void backwardAfterASetOrAStepIsRefusedAndAddsNothing() {
    Parameter first = rnn.parameters().get(0);
    Map<String, Runnable> changes = new LinkedHashMap<>();
    changes.put("set to the same", () -> first.set(first.values()));
    changes.put(
        "step",
        () -> {
          try (Sgd sgd = Sgd.builder(rnn.parameters()).build()) {
            sgd.step();
          }
        });
    changes.forEach(
        (name, change) -> {
          try (RecurrentOutput stale = rnn.forward(input)) {
            change.run();
            float[][] before = LayerAbuseTest.content(rnn);
            refused(STATE, () -> rnn.backward(stale, gradient, null), "parameters have changed since forward");
            Expect.sameBits(before, LayerAbuseTest.content(rnn));
          }
        });
  }

  @Test
  void refusedBackwardDoesNotUseTheOutputUp() {
    float[][] expected;
    try (Rnn twin = builder().build();
        RecurrentOutput twinOutput = twin.forward(input)) {
      twin.backward(twinOutput, gradient, null).close();
      expected = LayerAbuseTest.content(twin);
    }
    rnn.zeroGradients();
    refused(STATE, () -> rnn.backward(output, closedGradient, null));
    refused(STATE, () -> rnn.backward(output, gradient, closedState));
    refused(ARGUMENT, () -> rnn.backward(output, input, null));
    rnn.backward(output, gradient, null).close();
    Expect.sameBits(expected, LayerAbuseTest.content(rnn));
  }

  @Test
  void closedLayerRefusesForwardAndNamesItself() {
    rnn.close();
    rnn.close();
    String name = "the layer of parameter weight_ih_l0 is closed";
    refused(STATE, () -> rnn.forward(input), name);
    refused(STATE, () -> rnn.forward(input, state), name);
    refused(STATE, () -> rnn.backward(output, gradient, null), "the layer of parameter");
    refused(STATE, rnn::zeroGradients, name);
    rnn.parameters().forEach(p -> refused(STATE, p::values, p.name() + " is closed"));
  }

  @Test
  void layerClosedBeforeItsFirstBackwardRefusesIt() {
    Rnn fresh = builder().build();
    try (RecurrentOutput ofFresh = fresh.forward(input)) {
      fresh.close();
      refused(STATE, () -> fresh.backward(ofFresh, gradient, null), "is closed");
      ofFresh.outputs().toArrays(); // results outlive their layer
    }
  }

  @Test
  void aStateWithCellsIsThatOfAnLstmAlone() {
    float[][][] zeros = new float[1][3][4];
    try (Gru gru = Gru.builder(3, 4).build();
        Lstm lstm = Lstm.builder(3, 4).build();
        State plain = State.of(zeros);
        State withCells = State.of(zeros, zeros)) {
      refused(ARGUMENT, () -> gru.forward(input, withCells), "cells of initial is present: expected none");
      refused(ARGUMENT, () -> lstm.forward(input, plain), "cells of initial is missing: expected those of an LSTM");
    }
  }

  @Test
  void closedOutputRefusesAndATakenStateStays() {
    float[][][] last = output.finalState().hidden();
    RecurrentOutput other = rnn.forward(input);
    State taken = other.takeFinalState();
    other.close();
    other.close();
    refused(STATE, () -> other.outputs().toArrays(), "RecurrentOutput is closed");
    Expect.sameBits(last, taken.hidden());
    output.close();
    refused(STATE, () -> output.finalState().hidden(), "State is closed");
    refused(STATE, output::takeFinalState, "State is closed");
    taken.close();
    refused(STATE, taken::hidden, "State is closed");
  }

  @Test
  void closedGradientsRefuse() {
    RecurrentGradients gradients = rnn.backward(output, gradient, null);
    gradients.close();
    gradients.close();
    refused(STATE, () -> gradients.input().toArrays(), "PackedSequence is closed");
    refused(STATE, () -> gradients.initialState().hidden(), "State is closed");
  }

  @TestFactory
  Stream<DynamicTest> refusedCallLeavesNoMemoryBehind() {
    try (RecurrentGradients done = rnn.backward(output, gradient, null)) {
      assertArrayEquals(new int[] {2, 0, 3}, done.input().layout().lengths());
    }
    Map<String, Executable> calls = new LinkedHashMap<>();
    calls.put("forward of a closed input", () -> rnn.forward(closedInput));
    calls.put("forward from a closed state", () -> rnn.forward(input, closedState));
    calls.put("backward twice", () -> rnn.backward(output, gradient, null));
    calls.put("backward from a closed gradient", () -> rnn.backward(output, closedGradient, null));
    calls.put("backward from a closed state", () -> rnn.backward(output, null, closedState));
    calls.put("weights too large", () -> Rnn.builder(1, 50_000).build());
    return calls.entrySet().stream()
        .map(
            call ->
                DynamicTest.dynamicTest(
                    call.getKey(),
                    () -> {
                      RuntimeException thrown = assertThrows(RuntimeException.class, call.getValue());
                      refusedWithoutLeak(thrown.getClass(), call.getValue());
                    }));
  }

  private static float[][] weights(Layer layer) {
    return layer.parameters().stream().map(Parameter::values).toArray(float[][]::new);
  }

  @Test
  void cellsThatDoNotFitAreRefused() {
    State ofRnn = State.of(new float[1][3][2]);
    State narrow = State.of(new float[1][3][2], new float[1][3][2]);
    try (Lstm lstm = Lstm.builder(3, 4).projectionSize(2).build()) {
      Expect.refused(ARGUMENT, () -> lstm.forward(input, narrow), "size of the cells of initial is 2", "4");
      Expect.refused(ARGUMENT, () -> lstm.forward(input, ofRnn), "cells of initial is missing");
      Expect.refused(STATE, ofRnn::cells, "has no cells");
    } finally {
      ofRnn.close();
      narrow.close();
    }
    Expect.refused(ARGUMENT, () -> Lstm.builder(3, 4).bias(false).forgetBias(1).build(), "forgetBias");
  }

  @Test
  void gradientsOfLastOutputsThatDoNotFitAreRefused() {
    try (PackedSequence wide = batch(9, 1, 1, 1);
        PackedSequence twoSteps = batch(8, 1, 2, 1)) {
      Expect.refused(ARGUMENT, () -> rnn.backwardFromLast(output, wide), "features is 9", "8");
      Expect.refused(ARGUMENT, () -> rnn.backwardFromLast(output, twoSteps), "layout", "2 steps");
    }
    try (PackedSequence last = output.last();
        State fewer = State.of(new float[1][1][8]);
        State closed = State.of(output.finalState().hidden())) {
      Expect.refused(ARGUMENT, () -> rnn.backwardFromLast(output, null, last, fewer), "of finalStateGradient is 1");
      closed.close();
      Expect.refused(STATE, () -> rnn.backwardFromLast(output, null, last, closed), "closed");
    }
  }

  @Test
  void ofNoSequencesThereAreNoGradients() {
    try (PackedSequence none = batch(3);
        RecurrentOutput nothing = rnn.forward(none);
        PackedSequence last = nothing.last();
        RecurrentGradients gradients = rnn.backwardFromLast(nothing, last)) {
      assertEquals(0, gradients.input().layout().sequences());
    }
  }
}
