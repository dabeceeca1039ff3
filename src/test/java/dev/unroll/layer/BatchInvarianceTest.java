package dev.unroll.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.unroll.Unroll;
import dev.unroll.sequence.PackedSequence;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A sequence's results have the same bits whatever else is in the batch, in any order, on any number of threads. */
class BatchInvarianceTest {
  private static final int INPUTS = 19;
  private static final int HIDDEN = 33;
  private static final int[] LENGTHS = {7, 0, 30, 7, 1, 12, 30, 2, 9, 25, 0, 3, 18, 30, 5};

  private final Random random = new Random(21);
  private final float[][][] input = RandomArrays.sequences(random, LENGTHS, INPUTS);
  private final float[][][] initial = RandomArrays.state(random, 4, LENGTHS.length, HIDDEN);
  private final float[][][] dOutputs = RandomArrays.sequences(random, LENGTHS, 2 * HIDDEN);
  private final float[][][] dFinal = RandomArrays.state(random, 4, LENGTHS.length, HIDDEN);

  /** What comes out for some sequences: outputs, final states, gradients of inputs and initial states. */
  record Results(float[][][] outputs, float[][][] states, float[][][] dInputs, float[][][] dInitial) {}

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void batchEqualsEachSequenceAloneAndAnyOrder(int threads) {
    int before = Unroll.threads();
    Unroll.threads(threads);
    try (Rnn layer = Rnn.builder(INPUTS, HIDDEN).layers(2).bidirectional(true).build()) {
      List<Integer> order = IntStream.range(0, LENGTHS.length).boxed().collect(Collectors.toList());
      Results together = run(layer, order);
      Collections.shuffle(order, random);
      Results shuffled = run(layer, order);
      for (int b = 0; b < LENGTHS.length; b++) {
        compare(together, b, run(layer, List.of(b)), 0);
        compare(together, b, shuffled, order.indexOf(b));
      }
    } finally {
      Unroll.threads(before);
    }
  }

  private Results run(Rnn layer, List<Integer> which) {
    try (PackedSequence x = PackedSequence.of(pick(input, which), INPUTS);
        State h0 = State.of(pickEach(initial, which));
        RecurrentOutput output = layer.forward(x, h0);
        PackedSequence dY = PackedSequence.of(pick(dOutputs, which), 2 * HIDDEN);
        State dH = State.of(pickEach(dFinal, which));
        RecurrentGradients gradients = layer.backward(output, dY, dH)) {
      return new Results(
          output.outputs().toArrays(),
          output.finalState().hidden(),
          gradients.input().toArrays(),
          gradients.initialState().hidden());
    }
  }

  private static float[][][] pick(float[][][] sequences, List<Integer> which) {
    return which.stream().map(i -> sequences[i]).toArray(float[][][]::new);
  }

  private static float[][][] pickEach(float[][][] state, List<Integer> which) {
    return Arrays.stream(state)
        .map(entry -> which.stream().map(i -> entry[i]).toArray(float[][]::new))
        .toArray(float[][][]::new);
  }

  private static void compare(Results a, int b, Results other, int c) {
    assertArrayEquals(a.outputs[b], other.outputs[c], "outputs of sequence " + b);
    assertArrayEquals(a.dInputs[b], other.dInputs[c], "input gradients of sequence " + b);
    for (int l = 0; l < a.states.length; l++) {
      assertArrayEquals(a.states[l][b], other.states[l][c], "final state " + l + " of sequence " + b);
      assertArrayEquals(a.dInitial[l][b], other.dInitial[l][c], "initial state gradient " + l + " of sequence " + b);
    }
  }
}
