package dev.unroll;

import static dev.unroll.Expect.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.layer.Embedding;
import dev.unroll.layer.Linear;
import dev.unroll.layer.Parameter;
import dev.unroll.layer.RecurrentGradients;
import dev.unroll.layer.RecurrentOutput;
import dev.unroll.layer.Rnn;
import dev.unroll.layer.Softmax;
import dev.unroll.layer.State;
import dev.unroll.sequence.Features;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import dev.unroll.sequence.PaddedOrder;
import dev.unroll.sequence.SequenceLayout;
import dev.unroll.sequence.StepSelection;
import dev.unroll.train.AbsoluteError;
import dev.unroll.train.CrossEntropy;
import dev.unroll.train.Divisor;
import dev.unroll.train.Huber;
import dev.unroll.train.LossGradient;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Memory that is used again: no stale values, no leak. */
class WorkspaceTest {
  private static final int[][] TOKENS = {{0, 4}, {}, {1, 2, 3, 4, 0}, {3}};

  @Test
  void everythingComputedInRecycledMemoryHasTheBitsOfFreshMemory() {
    List<float[]> fresh;
    try (PackedTokens tokens = PackedTokens.of(TOKENS, 5)) {
      fresh = results(tokens);
    }
    try (Workspace workspace = new Workspace()) {
      for (int round = 0; round < 3; round++) {
        poison(workspace);
        try (PackedTokens tokens = PackedTokens.of(workspace, TOKENS, 5)) {
          List<float[]> recycled = results(tokens);
          Expect.sameBits(fresh.toArray(float[][]::new), recycled.toArray(float[][]::new));
        }
      }
    }
  }

  @Test
  void batchesWithoutStepsInRecycledMemoryGiveZeroGradients() {
    try (Workspace workspace = new Workspace();
        Rnn rnn = Rnn.builder(3, 4).build()) {
      poison(workspace);
      try (PackedSequence input = PackedSequence.of(workspace, new float[2][0][], 3);
          RecurrentOutput output = rnn.forward(input);
          RecurrentGradients gradients = rnn.backward(output, null, null)) {
        Expect.sameBits(new float[1][2][4], output.finalState().hidden());
        Expect.sameBits(new float[1][2][4], gradients.initialState().hidden());
        rnn.parameters().forEach(p -> assertArrayEquals(new float[p.size()], p.gradient()));
      }
    }
  }

  @Test
  void stepsThatWereNotSelectedAreZeroInRecycledMemoryToo() {
    StepSelection some = StepSelection.of(new boolean[][] {{true, false, false}, {false}});
    assertEquals(SequenceLayout.of(3, 1), some.layout());
    try (Workspace workspace = new Workspace()) {
      poison(workspace);
      try (PackedSequence one = PackedSequence.of(workspace, new float[][][] {{{1, 2}}, {}}, 2);
          PackedSequence all = some.spread(one)) {
        Expect.sameBits(new float[][][] {{{1, 2}, {0, 0}, {0, 0}}, {{0, 0}}}, all.toArrays());
      }
    }
  }

  @Test
  void batchesOfEveryFormTakeTheirMemoryFromTheWorkspace() {
    float[] flat = {1, 2, 3, 4};
    int[] lengths = {1, 2};
    List<Function<Workspace, PackedSequence>> forms =
        List.of(
            w -> PackedSequence.ofFlat(w, new float[][] {{1}, {2, 3}}, 1),
            w -> PackedSequence.ofPadded(w, new float[][][] {{{1}}, {{2}, {3}}}, lengths, PaddedOrder.BATCH_FIRST, 1),
            w -> PackedSequence.ofPadded(w, flat, lengths, PaddedOrder.BATCH_FIRST, 1),
            w -> PackedSequence.ofPadded(w, FloatBuffer.wrap(flat), lengths, PaddedOrder.BATCH_FIRST, 1),
            w -> PackedSequence.ofConcatenated(w, FloatBuffer.wrap(flat, 0, 3), lengths, 1),
            w -> PackedSequence.ofPacked(w, FloatBuffer.wrap(flat, 0, 3), SequenceLayout.of(lengths), 1));
    List<Function<Workspace, PackedTokens>> formsOfTokens =
        List.of(
            w -> PackedTokens.ofLabels(w, lengths, 5),
            w -> PackedTokens.ofPadded(w, IntBuffer.wrap(new int[4]), lengths, PaddedOrder.BATCH_FIRST, 5));
    try (Workspace workspace = new Workspace()) {
      poison(workspace);
      long before = Unroll.liveBytes();
      for (Function<Workspace, PackedSequence> form : forms) {
        try (PackedSequence batch = form.apply(workspace)) {
          assertEquals(3, batch.layout().rows());
          assertEquals(1, batch.features());
          assertTrue(Unroll.liveBytes() <= before);
        }
      }
      for (Function<Workspace, PackedTokens> form : formsOfTokens) {
        try (PackedTokens batch = form.apply(workspace)) {
          assertEquals(2, batch.layout().sequences());
          assertTrue(Unroll.liveBytes() <= before);
        }
      }
    }
  }

  @Test
  void repeatedWorkAllocatesNothingAfterTheFirstRound() {
    try (Workspace workspace = new Workspace();
        Rnn rnn = Rnn.builder(3, 4).layers(2).build()) {
      long afterFirst = 0;
      for (int round = 0; round < 4; round++) {
        try (PackedSequence input = PackedSequence.of(workspace, new float[3][7][3], 3);
            RecurrentOutput output = rnn.forward(input);
            RecurrentOutput second = rnn.forward(input);
            RecurrentGradients gradients = rnn.backward(output, null, null);
            PackedSequence last = second.last();
            PackedSequence entry = second.finalState().hidden(1);
            State both = State.ofEntries(List.of(entry, entry));
            RecurrentGradients fromLast = rnn.backwardFromLast(second, null, last, both);
            LossGradient loss = new Huber(Divisor.MEAN_OVER_WEIGHTS, 1).gradient(last, entry, last)) {
          assertEquals(3, gradients.input().layout().sequences());
          assertTrue(round == 0 || Unroll.liveBytes() <= afterFirst);
        }
        long now = Unroll.liveBytes();
        assertTrue(round == 0 || now <= afterFirst);
        afterFirst = now;
      }
    }
  }

  @Test
  void everythingClosedLeavesNothingLive() {
    long before = Unroll.liveBytes();
    try (Workspace workspace = new Workspace();
        PackedTokens tokens = PackedTokens.of(workspace, TOKENS, 5)) {
      results(tokens);
      assertTrue(Unroll.liveBytes() > 0);
    }
    assertTrue(Unroll.liveBytes() <= before);
  }

  @Test
  void resultsOutliveTheirWorkspaceButNewOnesAreRefused() {
    long before = Unroll.liveBytes();
    Workspace workspace = new Workspace();
    try (Rnn rnn = Rnn.builder(3, 4).build();
        Linear linear = new Linear(3, 2, 0);
        PackedSequence input = PackedSequence.of(workspace, new float[1][2][3], 3);
        RecurrentOutput output = rnn.forward(input)) {
      float[][][] values = output.outputs().toArrays();
      workspace.close();

      Expect.sameBits(values, output.outputs().toArrays());
      Expect.sameBits(new float[1][2][3], input.toArrays());
      refused(IllegalStateException.class, () -> rnn.forward(input), "Workspace is closed");
      refused(IllegalStateException.class, () -> rnn.backward(output, null, null), "Workspace is closed");
      refused(IllegalStateException.class, () -> linear.forward(input), "Workspace is closed");
      refused(IllegalStateException.class, () -> new Softmax().forward(input), "Workspace is closed");
    }
    assertTrue(Unroll.liveBytes() <= before);
  }

  @Test
  void stateTakenOverOutlivesItsOutput() {
    try (Workspace workspace = new Workspace();
        Rnn rnn = Rnn.builder(1, 2).build();
        PackedSequence input = PackedSequence.of(workspace, new float[][][] {{{1}}}, 1)) {
      RecurrentOutput output = rnn.forward(input);
      float[][][] values = output.finalState().hidden();
      try (State state = output.takeFinalState()) {
        output.close();
        poison(workspace);
        Expect.sameBits(values, state.hidden());
      }
    }
  }

  /** Leaves blocks of all sizes behind that hold nothing but NaN. */
  private static void poison(Workspace workspace) {
    List<PackedSequence> batches = new ArrayList<>();
    for (int values = 1; values < 6000; values += Math.max(16, values / 9)) {
      float[] nan = new float[values];
      Arrays.fill(nan, Float.NaN);
      for (int copy = 0; copy < 3; copy++) {
        batches.add(PackedSequence.of(workspace, new float[][][] {{nan}}, values));
      }
    }
    batches.forEach(PackedSequence::close);
  }

  /** Everything that one pass through all layers computes. */
  private static List<float[]> results(PackedTokens tokens) {
    List<float[]> all = new ArrayList<>();
    Softmax softmax = new Softmax(0.7);
    CrossEntropy loss = new CrossEntropy(Divisor.MEAN_OVER_STEPS);
    try (Embedding embedding = new Embedding(5, 3, 1);
        Rnn rnn = Rnn.builder(3, 20).layers(2).bidirectional(true).seed(2).build();
        Linear linear = new Linear(40, 5, 3);
        PackedSequence embedded = embedding.forward(tokens);
        RecurrentOutput states = rnn.forward(embedded);
        PackedSequence scores = linear.forward(states.outputs());
        PackedSequence probabilities = softmax.forward(scores);
        PackedSequence logs = softmax.logForward(scores);
        LossGradient error = loss.gradient(scores, tokens);
        PackedSequence dScores = softmax.backward(probabilities, error.gradient());
        PackedSequence dStates = linear.backward(states.outputs(), error.gradient());
        RecurrentGradients gradients = rnn.backward(states, dStates, null)) {
      embedding.backward(tokens, gradients.input());
      for (PackedSequence batch :
          List.of(embedded, states.outputs(), scores, probabilities, logs, dScores, dStates, gradients.input())) {
        all.addAll(List.of(batch.toFlatArrays()));
      }
      for (State state : List.of(states.finalState(), gradients.initialState())) {
        for (float[][] entry : state.hidden()) {
          all.addAll(List.of(entry));
        }
      }
      all.add(new float[] {(float) error.loss()});
      for (List<Parameter> parameters : List.of(embedding.parameters(), rnn.parameters(), linear.parameters())) {
        parameters.forEach(p -> all.add(p.gradient()));
      }
      all.addAll(backwardOfTheFinalStateAlone(rnn, embedded));
      all.addAll(backwardFromLast(rnn, embedded));
    }
    return all;
  }

  private static List<float[]> backwardFromLast(Rnn rnn, PackedSequence input) {
    try (RecurrentOutput output = rnn.forward(input);
        PackedSequence last = output.last();
        PackedSequence repeated = Features.repeat(last, input.layout());
        PackedSequence product = Features.product(repeated, output.outputs());
        LossGradient loss = new AbsoluteError(Divisor.SUM_OVER_STEPS).gradient(product, repeated, product);
        RecurrentGradients gradients = rnn.backwardFromLast(output, loss.gradient(), last)) {
      return List.of(gradients.input().toFlatArrays());
    }
  }

  private static List<float[]> backwardOfTheFinalStateAlone(Rnn rnn, PackedSequence input) {
    try (RecurrentOutput output = rnn.forward(input);
        RecurrentGradients gradients = rnn.backward(output, null, output.finalState())) {
      return List.of(gradients.input().toFlatArrays());
    }
  }
}
