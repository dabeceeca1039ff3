package dev.unroll.bench.peers;

import dev.unroll.Workspace;
import dev.unroll.layer.Lstm;
import dev.unroll.layer.RecurrentOutput;
import dev.unroll.layer.State;
import dev.unroll.sequence.PackedSequence;
import java.util.Arrays;
import java.util.Map;

/** An LSTM that takes one step at a time, an array in and an array out. */
final class UnrollStream implements Subject {
  private final Workspace workspace = new Workspace();
  private final Lstm layer;
  private final float[][][] features;
  private State state;
  private float[] output;

  UnrollStream(int hidden) {
    layer = Lstm.builder(hidden, hidden).seed(1).build();
    features = new float[1][1][hidden];
    Arrays.fill(features[0][0], 0.5f);
  }

  @Override
  public void run() {
    try (PackedSequence input = PackedSequence.of(workspace, features, layer.inputSize());
        RecurrentOutput step = layer.forward(input, state)) {
      output = step.outputs().step(0, 0);
      closeState();
      state = step.takeFinalState();
    }
  }

  private void closeState() {
    if (state != null) {
      state.close();
    }
  }

  @Override
  public Map<String, float[]> results() {
    return Map.of();
  }

  @Override
  public void close() {
    closeState();
    layer.close();
    workspace.close();
  }
}
