package dev.unroll;

import dev.unroll.layer.Embedding;
import dev.unroll.layer.Gru;
import dev.unroll.layer.Layer;
import dev.unroll.layer.Linear;
import dev.unroll.layer.Lstm;
import dev.unroll.layer.Parameter;
import dev.unroll.layer.Recurrent;
import dev.unroll.layer.RecurrentBuilder;
import dev.unroll.layer.RecurrentGradients;
import dev.unroll.layer.RecurrentOutput;
import dev.unroll.layer.Rnn;
import dev.unroll.layer.State;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import dev.unroll.sequence.TokenVectors;
import dev.unroll.train.Accuracy;
import dev.unroll.train.CrossEntropy;
import dev.unroll.train.Divisor;
import dev.unroll.train.LossGradient;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A tagger of every kind of cell, and all that one forward and backward pass of it gives. */
final class SequenceModel implements AutoCloseable {
  static final int TOKENS = 11;
  static final int TAGS = 5;
  private static final int FEATURES = 7;
  private static final int HIDDEN = 18; // more than one panel of 16 columns
  private static final int PROJECTION = 6;

  /** The cells, with options that change their kernels. */
  enum Cell {
    RNN(Rnn.builder(FEATURES, HIDDEN), HIDDEN),
    LSTM(Lstm.builder(FEATURES, HIDDEN), HIDDEN),
    LSTM_WITH_OPTIONS(
        Lstm.builder(FEATURES, HIDDEN).peepholes(true).coupledInputForget(true).projectionSize(PROJECTION), PROJECTION),
    GRU(Gru.builder(FEATURES, HIDDEN), HIDDEN),
    GRU_RESET_BEFORE(Gru.builder(FEATURES, HIDDEN).resetBefore(true), HIDDEN);

    private final RecurrentBuilder<?, ? extends Recurrent> builder;
    private final int stateSize;

    Cell(RecurrentBuilder<?, ? extends Recurrent> builder, int stateSize) {
      builder.layers(2);
      builder.bidirectional(true);
      this.builder = builder;
      this.stateSize = stateSize;
    }
  }

  /** Sequences with all that belongs to them; the first index is the sequence. */
  record Data(int[][] tokens, int[][] tags, float[][][] hidden, float[][][] cells) {
    static Data random(int[] lengths, Cell cell, long seed) {
      Random random = new Random(seed);
      int[][] tokens = new int[lengths.length][];
      int[][] tags = new int[lengths.length][];
      for (int b = 0; b < lengths.length; b++) {
        tokens[b] = random.ints(lengths[b], 0, TOKENS).toArray();
        tags[b] = random.ints(lengths[b], 0, TAGS).toArray();
      }
      return new Data(
          tokens, tags, states(random, lengths.length, cell.stateSize), states(random, lengths.length, HIDDEN));
    }

    private static float[][][] states(Random random, int sequences, int size) {
      float[][][] states = new float[sequences][4][size];
      for (float[][] entries : states) {
        for (float[] entry : entries) {
          for (int j = 0; j < size; j++) {
            entry[j] = random.nextFloat() * 2 - 1;
          }
        }
      }
      return states;
    }

    int sequences() {
      return tokens.length;
    }

    Data pick(int... which) {
      return new Data(
          IntStream.of(which).mapToObj(b -> tokens[b]).toArray(int[][]::new),
          IntStream.of(which).mapToObj(b -> tags[b]).toArray(int[][]::new),
          IntStream.of(which).mapToObj(b -> hidden[b]).toArray(float[][][]::new),
          IntStream.of(which).mapToObj(b -> cells[b]).toArray(float[][][]::new));
    }
  }

  /** What the recurrent layers read. */
  enum Input {
    /** A vector for every step. */
    STEPS,
    /** The vectors of the distinct tokens. */
    TOKENS
  }

  /** What a pass gives for each sequence (name to [sequences][...][...]) and for the batch. */
  record Results(
      Map<String, float[][][]> ofSequences,
      double loss,
      Accuracy accuracy,
      Map<String, float[]> weightGradients,
      PackedRows packed) {}

  /** Packed rows that gradients of weights are sums over. */
  record PackedRows(float[] featureGradients, float[] outputs, float[] scoreGradients, int[] tokens) {}

  private final Embedding embedding = new Embedding(TOKENS, FEATURES, 1);
  private final Recurrent recurrent;
  private final Linear linear;
  private final CrossEntropy loss;
  private final Input input;

  SequenceModel(Cell cell, Divisor divisor, Input input) {
    this.input = input;
    recurrent = cell.builder.build();
    linear = new Linear(recurrent.outputSize(), TAGS, 2);
    loss = new CrossEntropy(divisor);
  }

  int outputSize() {
    return recurrent.outputSize();
  }

  static int features() {
    return FEATURES;
  }

  /** Runs sequences as one batch. */
  Results run(Data data) {
    try (PackedTokens tokens = PackedTokens.of(data.tokens, TOKENS);
        PackedTokens tags = PackedTokens.of(data.tags, TAGS)) {
      return run(data, tokens, tags);
    }
  }

  /** Runs a batch that was packed in some other way. */
  Results run(Data data, PackedTokens tokens, PackedTokens tags) {
    Stream.of(embedding, recurrent, linear).forEach(Layer::zeroGradients);
    try (TokenVectors shared = input == Input.TOKENS ? TokenVectors.of(tokens, embedding::forward) : null;
        PackedSequence own = input == Input.STEPS ? embedding.forward(tokens) : null;
        State initial = initial(data);
        RecurrentOutput output = recurrent.forward(input == Input.TOKENS ? shared : own, initial);
        PackedSequence scores = linear.forward(output.outputs());
        LossGradient lossGradient = loss.gradient(scores, tags);
        PackedSequence dOutput = linear.backward(output.outputs(), lossGradient.gradient());
        RecurrentGradients gradients = recurrent.backward(output, dOutput, null)) {
      embedding.backward(input == Input.TOKENS ? shared.distinct() : tokens, gradients.input());
      Map<String, float[][][]> ofSequences = new TreeMap<>();
      ofSequences.put("outputs", output.outputs().toArrays());
      ofSequences.put("scores", scores.toArrays());
      ofSequences.put("score gradients", lossGradient.gradient().toArrays());
      if (input == Input.STEPS) {
        ofSequences.put("input gradients", gradients.input().toArrays());
      }
      putState(ofSequences, "final state", output.finalState());
      putState(ofSequences, "initial state gradient", gradients.initialState());
      Map<String, float[]> weights = new TreeMap<>();
      putGradients(weights, "embedding", embedding);
      putGradients(weights, "recurrent", recurrent);
      putGradients(weights, "linear", linear);
      PackedRows rows =
          new PackedRows(
              rows(gradients.input()), rows(output.outputs()), rows(lossGradient.gradient()), packedTokens(tokens));
      return new Results(ofSequences, lossGradient.loss(), Accuracy.overSteps(scores, tags), weights, rows);
    }
  }

  /** The loss of every step alone, in packed order. */
  float[] stepLosses(Data data) {
    try (PackedTokens tokens = PackedTokens.of(data.tokens, TOKENS);
        PackedSequence x = embedding.forward(tokens);
        State initial = initial(data);
        RecurrentOutput output = recurrent.forward(x, initial);
        PackedSequence scores = linear.forward(output.outputs())) {
      float[] losses = new float[scores.layout().rows()];
      for (int b = 0; b < data.sequences(); b++) {
        for (int t = 0; t < data.tags[b].length; t++) {
          try (PackedSequence one = PackedSequence.ofOne(new float[][] {scores.step(b, t)}, TAGS);
              PackedTokens tag = PackedTokens.ofLabels(new int[] {data.tags[b][t]}, TAGS)) {
            losses[scores.layout().row(b, t)] = (float) loss.loss(one, tag);
          }
        }
      }
      return losses;
    }
  }

  private State initial(Data data) {
    if (data.sequences() == 0) {
      return null;
    }
    boolean hasCells = recurrent instanceof Lstm;
    return hasCells ? State.of(byEntry(data.hidden), byEntry(data.cells)) : State.of(byEntry(data.hidden));
  }

  /** [sequences][entries][...] to [entries][sequences][...]. */
  private static float[][][] byEntry(float[][][] bySequence) {
    return IntStream.range(0, 4)
        .mapToObj(e -> Arrays.stream(bySequence).map(entries -> entries[e]).toArray(float[][]::new))
        .toArray(float[][][]::new);
  }

  private static void putState(Map<String, float[][][]> results, String name, State state) {
    results.put(name, bySequence(state.hidden(), state.sequences()));
    if (state.hasCells()) {
      results.put(name + " of cells", bySequence(state.cells(), state.sequences()));
    }
  }

  private static float[][][] bySequence(float[][][] byEntry, int sequences) {
    return IntStream.range(0, sequences)
        .mapToObj(b -> Arrays.stream(byEntry).map(entry -> entry[b]).toArray(float[][]::new))
        .toArray(float[][][]::new);
  }

  private static void putGradients(Map<String, float[]> gradients, String prefix, Layer layer) {
    List<Parameter> parameters = layer.parameters();
    parameters.forEach(parameter -> gradients.put(prefix + "." + parameter.name(), parameter.gradient()));
  }

  private static float[] rows(PackedSequence batch) {
    FloatBuffer rows = FloatBuffer.allocate(batch.layout().rows() * batch.features());
    batch.toPacked(rows);
    return rows.array();
  }

  private static int[] packedTokens(PackedTokens tokens) {
    int[] packed = new int[tokens.layout().rows()];
    int[][] sequences = tokens.toArrays();
    for (int b = 0; b < sequences.length; b++) {
      for (int t = 0; t < sequences[b].length; t++) {
        packed[tokens.layout().row(b, t)] = sequences[b][t];
      }
    }
    return packed;
  }

  @Override
  public void close() {
    embedding.close();
    recurrent.close();
    linear.close();
  }
}
