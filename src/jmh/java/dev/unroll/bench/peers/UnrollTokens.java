package dev.unroll.bench.peers;

import dev.unroll.Workspace;
import dev.unroll.bench.work.Subject;
import dev.unroll.bench.work.TokenWorkload;
import dev.unroll.layer.Embedding;
import dev.unroll.layer.Layer;
import dev.unroll.layer.Lstm;
import dev.unroll.layer.RecurrentGradients;
import dev.unroll.layer.RecurrentOutput;
import dev.unroll.peers.RecurrentCase;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import dev.unroll.sequence.StepVectors;
import dev.unroll.sequence.TokenVectors;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/** An embedding and an LSTM; in training, its outputs are their own gradients. */
final class UnrollTokens implements Subject {
  private final Workspace workspace = new Workspace();
  private final TokenWorkload workload;
  private final Embedding embedding;
  private final Lstm lstm;
  private final PackedTokens tokens;

  UnrollTokens(TokenWorkload workload) {
    this.workload = workload;
    embedding = new Embedding(workload.vocabulary(), workload.inputs(), 1);
    lstm = Lstm.builder(workload.inputs(), workload.hidden()).seed(2).build();
    tokens = PackedTokens.of(workspace, workload.tokens(), workload.vocabulary());
  }

  private void pass(Consumer<RecurrentOutput> then) {
    if (workload.vectors() == TokenWorkload.Vectors.OF_TOKENS) {
      try (TokenVectors input = TokenVectors.of(tokens, embedding::forward)) {
        pass(input, gradient -> embedding.backward(input.distinct(), gradient), then);
      }
    } else {
      try (PackedSequence input = embedding.forward(tokens)) {
        pass(input, gradient -> embedding.backward(tokens, gradient), then);
      }
    }
  }

  private void pass(StepVectors input, Consumer<PackedSequence> backward, Consumer<RecurrentOutput> then) {
    if (!workload.training()) {
      try (RecurrentOutput states = lstm.infer(input)) {
        then.accept(states);
      }
      return;
    }
    try (RecurrentOutput states = lstm.forward(input);
        RecurrentGradients gradients = lstm.backward(states, states.outputs(), null)) {
      backward.accept(gradients.input());
      then.accept(states);
    }
  }

  @Override
  public void run() {
    pass(states -> {});
  }

  @Override
  public Map<String, float[]> results() {
    Map<String, float[]> results = new HashMap<>();
    embedding.zeroGradients();
    lstm.zeroGradients();
    pass(
        states -> {
          PackedSequence outputs = states.outputs();
          FloatBuffer values = FloatBuffer.allocate(outputs.layout().rows() * outputs.features());
          outputs.toPacked(values);
          results.put("outputs", values.array());
        });
    if (workload.training()) {
      Layer.parametersOf(embedding, lstm).forEach(p -> results.put(RecurrentCase.GRADIENT + p.name(), p.gradient()));
    }
    return results;
  }

  @Override
  public void close() {
    tokens.close();
    embedding.close();
    lstm.close();
    workspace.close();
  }
}
