package dev.unroll.layer;

import static dev.unroll.Expect.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.Expect;
import dev.unroll.Workspace;
import dev.unroll.sequence.Features;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.SequenceLayout;
import dev.unroll.sequence.StepSelection;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** States, and the batches of one step that their entries are. */
class StateTest {
  private static final int SEQUENCES = 3;
  private static final int HIDDEN = 5;
  private static final int CELLS = 7;
  private static final Class<IllegalArgumentException> ARGUMENT = IllegalArgumentException.class;

  private final Random random = new Random(11);
  private final float[][][] hidden = RandomArrays.state(random, 2, SEQUENCES, HIDDEN);
  private final float[][][] cells = RandomArrays.state(random, 2, SEQUENCES, CELLS);

  @Test
  void entriesAreStepsOfTheCallersSequences() {
    try (State state = State.of(hidden, cells)) {
      for (int e = 0; e < 2; e++) {
        try (PackedSequence ofHidden = state.hidden(e);
            PackedSequence ofCells = state.cells(e)) {
          assertEquals(SequenceLayout.of(1, 1, 1), ofHidden.layout());
          Expect.sameBits(hidden[e], ofHidden.toFlatArrays());
          Expect.sameBits(cells[e], ofCells.toFlatArrays());
        }
      }
      refused(ARGUMENT, () -> state.hidden(2), "entry is 2");
      refused(ARGUMENT, () -> state.cells(-1), "entry is -1");
      state.close();
      refused(IllegalStateException.class, () -> state.hidden(0), "closed");
    }
    try (State state = State.of(hidden)) {
      refused(IllegalStateException.class, () -> state.cells(0), "has no cells");
    }
  }

  @Test
  void stepsOfSequencesMakeAState() {
    try (State state = State.of(hidden, cells);
        PackedSequence h0 = state.hidden(0);
        PackedSequence h1 = state.hidden(1);
        PackedSequence c0 = state.cells(0);
        PackedSequence c1 = state.cells(1);
        State both = State.ofEntries(List.of(h1, h0), List.of(c1, c0));
        State one = State.ofEntries(List.of(h1))) {
      Expect.sameBits(new float[][][] {hidden[1], hidden[0]}, both.hidden());
      Expect.sameBits(new float[][][] {cells[1], cells[0]}, both.cells());
      Expect.sameBits(new float[][][] {hidden[1]}, one.hidden());
      assertFalse(one.hasCells());
      assertTrue(both.hasCells());
      refused(NullPointerException.class, () -> State.ofEntries(null), "hidden is null");
      refused(NullPointerException.class, () -> State.ofEntries(List.of(h0), null), "cells is null");
      refused(ARGUMENT, () -> State.ofEntries(List.of()), "number of entries of hidden is 0");
      refused(ARGUMENT, () -> State.ofEntries(List.of(h0, c0)), "features of hidden[1] is 7: expected 5");
      refused(ARGUMENT, () -> State.ofEntries(List.of(h0), List.of(c0, c1)), "number of entries of cells is 2");
      try (PackedSequence longer = PackedSequence.of(new float[SEQUENCES][2][HIDDEN], HIDDEN);
          PackedSequence fewer = PackedSequence.of(new float[1][1][HIDDEN], HIDDEN)) {
        refused(ARGUMENT, () -> State.ofEntries(List.of(longer)), "layout of hidden[0]", "one step for every sequence");
        refused(ARGUMENT, () -> State.ofEntries(List.of(h0, fewer)), "layout of hidden[1]", "1 sequences, not 3");
        refused(ARGUMENT, () -> State.ofEntries(List.of(h0), List.of(fewer)), "number of sequences of cells is 1");
      }
      h0.close();
      refused(IllegalStateException.class, () -> State.ofEntries(List.of(h0)), "closed");
    }
  }

  @Test
  void statesOfChosenSequencesAndOfSeveralStates() {
    try (State state = State.of(hidden, cells);
        State beams = state.select(2, 0, 2, 2);
        State last = state.select(2);
        State joined = State.join(List.of(beams, last, state));
        State plain = State.of(hidden);
        State second = plain.select(1);
        State plainJoined = State.join(List.of(second, plain))) {
      for (int e = 0; e < 2; e++) {
        float[][] h = hidden[e];
        float[][] c = cells[e];
        Expect.sameBits(new float[][] {h[2], h[0], h[2], h[2]}, beams.hidden()[e]);
        Expect.sameBits(new float[][] {c[2], c[0], c[2], c[2]}, beams.cells()[e]);
        Expect.sameBits(new float[][] {h[2], h[0], h[2], h[2], h[2], h[0], h[1], h[2]}, joined.hidden()[e]);
        Expect.sameBits(new float[][] {c[2], c[0], c[2], c[2], c[2], c[0], c[1], c[2]}, joined.cells()[e]);
        Expect.sameBits(new float[][] {h[1], h[0], h[1], h[2]}, plainJoined.hidden()[e]);
      }
      assertFalse(plainJoined.hasCells());
      refused(NullPointerException.class, () -> state.select((int[]) null), "sequences is null");
      try (State none = state.select();
          State all = State.join(List.of(none, state, none))) {
        assertEquals(0, none.sequences());
        assertEquals(CELLS, none.cellSize());
        Expect.sameBits(cells, all.cells());
      }
      refused(ARGUMENT, () -> state.select(0, 3), "sequences[1] is 3", "below 3");
      refused(NullPointerException.class, () -> State.join(null), "states is null");
      refused(NullPointerException.class, () -> State.join(Arrays.asList(state, null)), "states[1] is null");
      refused(ARGUMENT, () -> State.join(List.of()), "number of states is 0");
      refused(ARGUMENT, () -> State.join(List.of(state, plain)), "cell size of states[1] is 0: expected 7");
      try (State wider = State.of(new float[2][1][HIDDEN + 1])) {
        refused(ARGUMENT, () -> State.join(List.of(plain, wider)), "hidden size of states[1] is 6: expected 5");
      }
      last.close();
      refused(IllegalStateException.class, () -> State.join(List.of(state, last)), "closed");
      refused(IllegalStateException.class, () -> last.select(0), "closed");
    }
  }

  @Test
  void streamsStartFromZero() {
    try (Lstm lstm = Lstm.builder(4, HIDDEN).projectionSize(3).bidirectional(true).build();
        PackedSequence input = PackedSequence.of(RandomArrays.sequences(random, new int[] {3, 2}, 4), 4);
        State zero = lstm.zeroState(2);
        RecurrentOutput expected = lstm.infer(input);
        RecurrentOutput actual = lstm.infer(input, zero)) {
      Expect.sameBits(expected.outputs().toArrays(), actual.outputs().toArrays());
      assertEquals(3, zero.hiddenSize());
      assertEquals(HIDDEN, zero.cellSize());
      refused(ARGUMENT, () -> lstm.zeroState(-1), "sequences is -1: expected 0 or more");
    }
  }

  /** What goes from one workspace's time to the next. */
  @Test
  void chosenStatesOutliveTheWorkspaceOfTheOthers() {
    try (Lstm lstm = Lstm.builder(4, HIDDEN).build()) {
      State state;
      try (Workspace workspace = new Workspace();
          PackedSequence input = PackedSequence.of(workspace, RandomArrays.sequences(random, new int[] {3, 2}, 4), 4);
          RecurrentOutput output = lstm.infer(input)) {
        state = output.takeFinalState();
      }
      try (state;
          State one = state.select(1);
          State both = State.join(List.of(state, one))) {
        assertEquals(3, both.sequences());
      }
    }
  }

  /** Clients whose streams take their steps together get the bits of each by itself. */
  @Test
  void joinedStatesGoOnLikeEachAlone() {
    try (Lstm lstm = Lstm.builder(4, HIDDEN).layers(2).build();
        PackedSequence input = PackedSequence.of(RandomArrays.sequences(random, new int[] {3, 2}, 4), 4);
        PackedSequence next = PackedSequence.of(RandomArrays.sequences(random, new int[] {2, 1}, 4), 4);
        RecurrentOutput before = lstm.infer(input);
        State first = before.finalState().select(0);
        State second = before.finalState().select(1);
        State joined = State.join(List.of(first, second));
        RecurrentOutput together = lstm.infer(next, joined)) {
      for (int client = 0; client < 2; client++) {
        StepSelection own = StepSelection.ofSequences(next.layout(), client);
        try (PackedSequence alone = own.select(next);
            RecurrentOutput expected = lstm.infer(alone, client == 0 ? first : second);
            State apart = together.finalState().select(client)) {
          Expect.sameBits(expected.outputs().toArrays()[0], together.outputs().toArrays()[client]);
          Expect.sameBits(expected.finalState().hidden(), apart.hidden());
          Expect.sameBits(expected.finalState().cells(), apart.cells());
        }
      }
    }
  }

  /** What a decoder of one direction starts from: both directions of its encoder. */
  @Test
  void aBatchWithoutSequencesHasStatesToo() {
    try (Gru encoder = Gru.builder(2, HIDDEN).bidirectional(true).build();
        Gru decoder = Gru.builder(2, 2 * HIDDEN).build();
        PackedSequence nothing = PackedSequence.of(new float[0][][], 2);
        RecurrentOutput encoded = encoder.forward(nothing);
        PackedSequence ahead = encoded.finalState().hidden(0);
        PackedSequence back = encoded.finalState().hidden(1);
        PackedSequence both = Features.concatenate(ahead, back);
        State first = State.ofEntries(List.of(both));
        RecurrentOutput decoded = decoder.forward(nothing, first)) {
      assertEquals(0, first.sequences());
      assertEquals(0, decoded.outputs().layout().rows());
    }
  }

  /** Whatever the streams beside it do. */
  @Test
  void oneSequenceOfASessionStartsAnew() {
    try (Lstm layer = Lstm.builder(1, HIDDEN).layers(2).seed(3).build();
        RecurrentSession session = layer.session(2);
        RecurrentSession fresh = layer.session(1)) {
      float[] out = new float[2 * HIDDEN];
      session.step(new float[] {1, 2}, out);
      session.step(new float[] {3, 4}, out);
      float[][][] before;
      try (State state = session.state()) {
        before = state.hidden();
      }
      session.reset(1);
      try (State state = session.state()) {
        for (int e = 0; e < 2; e++) {
          Expect.sameBits(new float[][] {before[e][0], new float[HIDDEN]}, state.hidden()[e]);
          Expect.sameBits(new float[][] {new float[HIDDEN]}, new float[][] {state.cells()[e][1]});
          assertTrue(state.cells()[e][0][0] != 0);
        }
      }
      float[] expected = new float[HIDDEN];
      fresh.step(new float[] {0.5f}, expected);
      session.step(new float[] {7, 0.5f}, out);
      Expect.sameBits(new float[][] {expected}, new float[][] {Arrays.copyOfRange(out, HIDDEN, 2 * HIDDEN)});
      refused(ARGUMENT, () -> session.reset(2), "sequence is 2");
      refused(ARGUMENT, () -> session.reset(-1), "sequence is -1");
      session.close();
      refused(IllegalStateException.class, () -> session.reset(0), "closed");
    }
  }
}
