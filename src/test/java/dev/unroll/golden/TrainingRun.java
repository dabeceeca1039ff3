package dev.unroll.golden;

import dev.unroll.layer.Activation;
import dev.unroll.layer.Embedding;
import dev.unroll.layer.Layer;
import dev.unroll.layer.Linear;
import dev.unroll.layer.Lstm;
import dev.unroll.layer.Parameter;
import dev.unroll.layer.RecurrentGradients;
import dev.unroll.layer.RecurrentOutput;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import dev.unroll.train.CrossEntropy;
import dev.unroll.train.Divisor;
import dev.unroll.train.LossGradient;
import dev.unroll.train.Optimizer;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Twenty steps of a tagger: embedding, two LSTM layers in both directions with dropout, a linear layer, an activation,
 * another linear layer, cross-entropy. Its sums are the weights after them.
 */
record TrainingRun(String name, Function<List<Parameter>, Optimizer> optimizer) implements GoldenModel {
  private static final int STEPS = 20;
  private static final int VOCABULARY = 23;
  private static final int HIDDEN = 37;

  /** A batch is a part of the data; there is nothing to permute. */
  @Override
  public boolean keepsSequencesApart() {
    return false;
  }

  @Override
  public Results run(List<Integer> which) {
    try (Embedding embedding = new Embedding(VOCABULARY, 19, 1);
        Lstm lstm = Lstm.builder(19, HIDDEN).layers(2).bidirectional(true).dropout(0.3).seed(2).build();
        Linear hidden = new Linear(2 * HIDDEN, 31, 3);
        Linear output = new Linear(31, VOCABULARY, 4)) {
      List<Parameter> parameters =
          Stream.<Layer>of(embedding, lstm, hidden, output).flatMap(l -> l.parameters().stream()).toList();
      float[] losses = new float[STEPS];
      try (Optimizer steps = optimizer.apply(parameters)) {
        for (int step = 0; step < STEPS; step++) {
          steps.zeroGradients();
          losses[step] = (float) gradients(step, which, embedding, lstm, hidden, output);
          steps.step();
        }
      }
      return new Results(new float[][][] {{losses}}, parameters.stream().map(Parameter::values).toList());
    }
  }

  private static double gradients(
      int step, List<Integer> which, Embedding embedding, Lstm lstm, Linear hidden, Linear output) {
    CrossEntropy loss = new CrossEntropy(Divisor.MEAN_OVER_STEPS);
    // Another order in every step, so that dropout masks meet other sequences.
    List<Integer> batch = IntStream.range(0, which.size()).map(i -> which.get((step + i) % which.size())).boxed().toList();
    try (PackedTokens tokens = tokens(batch, 8);
        PackedTokens targets = tokens(batch, 9);
        PackedSequence x = embedding.forward(tokens);
        RecurrentOutput states = lstm.forwardTraining(x, null, step);
        PackedSequence a = hidden.forward(states.outputs());
        PackedSequence h = Activation.TANH.forward(a);
        PackedSequence scores = output.forward(h);
        LossGradient error = loss.gradient(scores, targets);
        PackedSequence dH = output.backward(h, error.gradient());
        PackedSequence dA = Activation.TANH.backward(h, dH);
        PackedSequence dStates = hidden.backward(states.outputs(), dA);
        RecurrentGradients dX = lstm.backward(states, dStates, null)) {
      embedding.backward(tokens, dX.input());
      return error.loss();
    }
  }

  private static PackedTokens tokens(List<Integer> which, int purpose) {
    return PackedTokens.of(
        which.stream().map(b -> Data.tokens(b, VOCABULARY, purpose)).toArray(int[][]::new), VOCABULARY);
  }
}
