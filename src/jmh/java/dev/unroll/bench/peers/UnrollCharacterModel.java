package dev.unroll.bench.peers;

import static dev.unroll.bench.work.CharacterModelWorkload.*;

import dev.unroll.Workspace;
import dev.unroll.bench.work.CharacterModelWorkload;
import dev.unroll.bench.work.Subject;
import dev.unroll.layer.Embedding;
import dev.unroll.layer.Layer;
import dev.unroll.layer.Linear;
import dev.unroll.layer.Lstm;
import dev.unroll.layer.Parameter;
import dev.unroll.layer.RecurrentGradients;
import dev.unroll.layer.RecurrentOutput;
import dev.unroll.peers.RecurrentCase;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import dev.unroll.sequence.TokenVectors;
import dev.unroll.train.Adam;
import dev.unroll.train.CrossEntropy;
import dev.unroll.train.Divisor;
import dev.unroll.train.LossGradient;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** The character model of this library's layers. */
final class UnrollCharacterModel implements Subject {
  private final Workspace workspace = new Workspace();
  private final Embedding embedding = new Embedding(VOCABULARY, CharacterModelWorkload.EMBEDDING, 1);
  private final Lstm recurrent = Lstm.builder(CharacterModelWorkload.EMBEDDING, HIDDEN).layers(LAYERS).build();
  private final Linear linear = new Linear(HIDDEN, VOCABULARY, 1);
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private final CrossEntropy loss = new CrossEntropy(Divisor.MEAN_OVER_STEPS);
  private final Adam optimizer;
  private final PackedTokens tokens;
  private final PackedTokens targets;

  UnrollCharacterModel(CharacterModelWorkload workload) {
    name("embedding.", embedding);
    name("recurrent.", recurrent);
    name("linear.", linear);
    workload.weights().forEach((name, values) -> parameters.get(name).set(values));
    optimizer =
        Adam.builder(new ArrayList<>(parameters.values())).learningRate(LEARNING_RATE).clipNorm(CLIP_NORM).build();
    int[][] text = workload.tokens();
    tokens = PackedTokens.of(workspace, slices(text, 0), VOCABULARY);
    targets = PackedTokens.of(workspace, slices(text, 1), VOCABULARY);
  }

  private void name(String prefix, Layer layer) {
    layer.parameters().forEach(parameter -> parameters.put(prefix + parameter.name(), parameter));
  }

  private static int[][] slices(int[][] text, int start) {
    return Arrays.stream(text).map(t -> Arrays.copyOfRange(t, start, start + STEPS)).toArray(int[][]::new);
  }

  @Override
  public void run() {
    gradients();
    optimizer.step();
  }

  /** Computes the gradients of all parameters; returns the loss. */
  private double gradients() {
    optimizer.zeroGradients();
    try (TokenVectors embedded = TokenVectors.of(tokens, embedding::forward);
        RecurrentOutput states = recurrent.forward(embedded);
        PackedSequence scores = linear.forward(states.outputs());
        LossGradient ofScores = loss.gradient(scores, targets);
        PackedSequence ofStates = linear.backward(states.outputs(), ofScores.gradient());
        RecurrentGradients ofEmbedded = recurrent.backward(states, ofStates, null)) {
      embedding.backward(embedded.distinct(), ofEmbedded.input());
      return ofScores.loss();
    }
  }

  @Override
  public Map<String, float[]> results() {
    Map<String, float[]> results = new LinkedHashMap<>();
    float[] losses = new float[COMPARED_STEPS];
    for (int i = 0; i < losses.length; i++) {
      losses[i] = (float) gradients();
      if (i == 0) {
        parameters.forEach((name, parameter) -> results.put(RecurrentCase.GRADIENT + name, parameter.gradient()));
      }
      optimizer.step();
    }
    results.put(LOSSES, losses);
    return results;
  }

  @Override
  public void close() {
    tokens.close();
    targets.close();
    optimizer.close();
    embedding.close();
    recurrent.close();
    linear.close();
    workspace.close();
  }
}
