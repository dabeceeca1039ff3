package dev.unroll.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.unroll.Expect;
import dev.unroll.Unroll;
import dev.unroll.sequence.PackedSequence;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Passes that only answer, whole sequences or single steps: the bits of forward, and nothing kept. */
class InferenceTest {
  private static final int INPUTS = 5;
  private static final int HIDDEN = 19;
  private static final Class<IllegalStateException> STATE = IllegalStateException.class;
  private static final Class<IllegalArgumentException> ARGUMENT = IllegalArgumentException.class;

  private final Random random = new Random(61);
  private final int threads = Unroll.threads();

  @AfterEach
  void restoreThreads() {
    Unroll.threads(threads);
  }

  static Stream<RecurrentBuilder<?, ? extends Recurrent>> builders() {
    return RecurrentOptionsTest.builders();
  }

  @ParameterizedTest
  @MethodSource("builders")
  void infersTheBitsOfForward(RecurrentBuilder<?, ? extends Recurrent> builder) {
    builder.layers(2);
    builder.bidirectional(true);
    // Longer than a chunk of steps; many sequences, so that threads share them.
    int[] lengths = random.ints(70, 0, 12).toArray();
    lengths[3] = 400;
    try (Recurrent layer = builder.build();
        PackedSequence x = PackedSequence.of(RandomArrays.sequences(random, lengths, INPUTS), INPUTS);
        State initial = randomState(layer, lengths.length);
        RecurrentOutput kept = layer.forward(x, initial)) {
      for (int count : new int[] {1, 3}) {
        Unroll.threads(count);
        try (RecurrentOutput light = layer.infer(x, initial)) {
          Expect.sameBits(kept.outputs().toArrays(), light.outputs().toArrays());
          sameState(kept.finalState(), light.finalState());
        }
      }
    }
  }

  /** Wide enough for threads to share a few rows of three layers. */
  static Stream<RecurrentBuilder<?, ? extends Recurrent>> wideBuilders() {
    return RecurrentOptionsTest.builders(64);
  }

  /** Fewer steps than are computed at once, of sequences that threads share: each has rows of its own. */
  @ParameterizedTest
  @MethodSource("wideBuilders")
  void infersTheBitsOfForwardFromShortBatchesToo(RecurrentBuilder<?, ? extends Recurrent> builder) {
    builder.layers(3);
    try (Recurrent layer = builder.build()) {
      for (int[] shape : new int[][] {{4, 40}, {8, 20}, {16, 11}, {48, 3}, {190, 1}}) {
        int[] lengths = new int[shape[0]];
        Arrays.setAll(lengths, b -> shape[1] - b % 2 * (shape[1] / 2));
        try (PackedSequence x = PackedSequence.of(RandomArrays.sequences(random, lengths, INPUTS), INPUTS);
            RecurrentOutput kept = layer.forward(x)) {
          float[][][] expected = kept.outputs().toArrays();
          for (int call = 0; call < 12; call++) { // some of them share, some do not: that is tried
            Unroll.threads(2 + call % 2);
            try (RecurrentOutput light = layer.infer(x)) {
              Expect.sameBits(expected, light.outputs().toArrays());
              sameState(kept.finalState(), light.finalState());
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("wideBuilders")
  void threadsShareTheStepsOfASession(RecurrentBuilder<?, ? extends Recurrent> builder) {
    builder.layers(3);
    Unroll.threads(3);
    int sequences = 40;
    float[][][] input = new float[sequences][][];
    Arrays.setAll(input, b -> RandomArrays.sequences(random, new int[] {4}, INPUTS)[0]);
    try (Recurrent layer = builder.build();
        PackedSequence x = PackedSequence.of(input, INPUTS);
        RecurrentOutput whole = layer.forward(x);
        RecurrentSession session = layer.session(sequences)) {
      float[][][] expected = whole.outputs().toArrays();
      for (int call = 0; call < 12; call++) {
        session.reset();
        for (int t = 0; t < 4; t++) {
          float[] output = new float[sequences * layer.outputSize()];
          session.step(step(input, t), output);
          assertArrayEquals(step(expected, t), output);
        }
      }
    }
  }

  /** A step of all sequences, one after the other. */
  private static float[] step(float[][][] sequences, int t) {
    int features = sequences[0][t].length;
    float[] all = new float[sequences.length * features];
    for (int b = 0; b < sequences.length; b++) {
      System.arraycopy(sequences[b][t], 0, all, b * features, features);
    }
    return all;
  }

  private State randomState(Recurrent layer, int sequences) {
    int entries = layer.layers() * (layer.isBidirectional() ? 2 : 1);
    int stateSize = layer.outputSize() * layer.layers() / entries;
    float[][][] hidden = RandomArrays.state(random, entries, sequences, stateSize);
    return layer instanceof Lstm
        ? State.of(hidden, RandomArrays.state(random, entries, sequences, HIDDEN))
        : State.of(hidden);
  }

  private static void sameState(State expected, State actual) {
    Expect.sameBits(expected.hidden(), actual.hidden());
    if (expected.hasCells()) {
      Expect.sameBits(expected.cells(), actual.cells());
    }
  }

  @ParameterizedTest
  @MethodSource("builders")
  void stepsOfASessionGiveTheBitsOfWholeSequences(RecurrentBuilder<?, ? extends Recurrent> builder) {
    builder.layers(2);
    int steps = 7;
    int sequences = 3;
    float[][][] input = RandomArrays.sequences(random, new int[] {steps, steps, steps}, INPUTS);
    try (Recurrent layer = builder.build();
        PackedSequence x = PackedSequence.of(input, INPUTS);
        State initial = randomState(layer, sequences);
        RecurrentOutput whole = layer.infer(x, initial);
        RecurrentSession session = layer.session(sequences)) {
      session.restore(initial);
      float[][][] expected = whole.outputs().toArrays();
      float[] in = new float[sequences * INPUTS];
      float[] out = new float[sequences * layer.outputSize()];
      for (int t = 0; t < steps; t++) {
        for (int b = 0; b < sequences; b++) {
          System.arraycopy(input[b][t], 0, in, b * INPUTS, INPUTS);
        }
        session.step(in, out);
        for (int b = 0; b < sequences; b++) {
          float[] ofSequence = new float[layer.outputSize()];
          System.arraycopy(out, b * ofSequence.length, ofSequence, 0, ofSequence.length);
          assertArrayEquals(expected[b][t], ofSequence);
        }
      }
      try (State last = session.state()) {
        sameState(whole.finalState(), last);
      }
    }
  }

  @Test
  void aSessionSeesNewWeightsAndStartsAnewWhenReset() {
    try (Lstm layer = Lstm.builder(1, 4).build();
        RecurrentSession session = layer.session(1)) {
      float[] first = new float[4];
      session.step(new float[] {1}, first);
      float[] second = new float[4];
      session.step(new float[] {1}, second);
      session.reset();
      float[] again = new float[4];
      session.step(new float[] {1}, again);
      assertArrayEquals(first, again);

      Parameter weights = layer.parameter("weight_ih_l0");
      weights.set(new float[weights.size()]);
      layer.parameter("bias_ih_l0").set(new float[16]);
      layer.parameter("bias_hh_l0").set(new float[16]);
      session.reset();
      session.step(new float[] {1}, again);
      assertArrayEquals(new float[4], again);
    }
  }

  @Test
  void aStepAllocatesNothing() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (Lstm layer = Lstm.builder(8, 16).layers(2).build();
        RecurrentSession session = layer.session(1)) {
      float[] input = new float[8];
      float[] output = new float[16];
      session.step(input, output);
      long before = threads.getCurrentThreadAllocatedBytes();
      long liveBefore = Unroll.liveBytes();
      for (int i = 0; i < 1000; i++) {
        session.step(input, output);
      }
      assertTrue(Unroll.liveBytes() <= liveBefore); // less if something that another test left open was collected
      // The bean's own answers, once each.
      assertTrue(threads.getCurrentThreadAllocatedBytes() - before < 1000);
    }
  }

  @Test
  void inferenceKeepsLessThanForward() {
    int[] lengths = {1000};
    try (Lstm layer = Lstm.builder(INPUTS, HIDDEN).build();
        PackedSequence x = PackedSequence.of(RandomArrays.sequences(random, lengths, INPUTS), INPUTS)) {
      long before = Unroll.liveBytes();
      long forInference;
      try (RecurrentOutput output = layer.infer(x, null)) {
        forInference = Unroll.liveBytes() - before;
      }
      try (RecurrentOutput output = layer.forward(x)) {
        assertTrue(3 * forInference < Unroll.liveBytes() - before);
      }
    }
  }

  @Test
  void refusesWhatCannotBe() {
    try (Lstm layer = Lstm.builder(2, 3).build();
        Lstm both = Lstm.builder(2, 3).bidirectional(true).build();
        PackedSequence x = PackedSequence.of(new float[][][] {{{1, 2}}}, 2);
        RecurrentOutput output = layer.infer(x, null);
        RecurrentSession session = layer.session(2);
        State ofOne = State.of(new float[1][1][3], new float[1][1][3])) {
      Expect.refused(STATE, () -> layer.backward(output, null, null), "infer", "forward");
      Expect.refused(NullPointerException.class, () -> layer.infer(null, null), "input");
      Expect.refused(STATE, () -> both.session(1), "bidirectional", "one direction");
      Expect.refused(ARGUMENT, () -> layer.session(0), "sequences", "0", "1 or more");
      Expect.refused(ARGUMENT, () -> layer.session(Integer.MAX_VALUE), "sequences * inputSize", "2^31 - 1");
      Expect.refused(ARGUMENT, () -> session.step(new float[3], new float[6]), "stepInput", "3", "4");
      Expect.refused(ARGUMENT, () -> session.step(new float[4], new float[7]), "stepOutput", "7", "6");
      Expect.refused(NullPointerException.class, () -> session.step(null, new float[6]), "stepInput");
      Expect.refused(NullPointerException.class, () -> session.step(new float[4], null), "stepOutput");
      Expect.refused(ARGUMENT, () -> session.restore(ofOne), "sequences of from", "1", "2");
      Expect.refused(NullPointerException.class, () -> session.restore(null), "from");
    }
  }

  @Test
  void closedSessionsAndLayersRefuseSteps() {
    Lstm layer = Lstm.builder(2, 3).build();
    RecurrentSession closed = layer.session(1);
    RecurrentSession orphan = layer.session(1);
    closed.close();
    closed.close();
    Expect.refused(STATE, () -> closed.step(new float[2], new float[3]), "RecurrentSession", "closed");
    Expect.refused(STATE, closed::reset, "closed");
    Expect.refused(STATE, closed::state, "closed");
    layer.close();
    Expect.refused(STATE, () -> orphan.step(new float[2], new float[3]), "layer", "closed");
    orphan.close();
    Expect.refused(STATE, () -> layer.session(1), "closed");
  }
}
