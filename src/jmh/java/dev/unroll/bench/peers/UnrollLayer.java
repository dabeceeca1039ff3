package dev.unroll.bench.peers;

import dev.unroll.Workspace;
import dev.unroll.bench.work.Subject;
import dev.unroll.layer.Parameter;
import dev.unroll.layer.Recurrent;
import dev.unroll.layer.RecurrentGradients;
import dev.unroll.layer.RecurrentOutput;
import dev.unroll.layer.State;
import dev.unroll.peers.RecurrentCase;
import dev.unroll.peers.RecurrentShape;
import dev.unroll.sequence.PackedSequence;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A layer of this library, its memory recycled by a workspace. In training the weights have changed before every pass, as
 * they have after an optimiser's step, so that they are packed anew.
 */
final class UnrollLayer implements Subject {
  private final RecurrentCase problem;
  private final RecurrentShape shape;
  private final boolean training;
  private final Workspace workspace = new Workspace();
  private final Recurrent layer;
  private final PackedSequence input;
  private final State initial;
  private final PackedSequence fromOutput;

  UnrollLayer(RecurrentCase problem, boolean training) {
    this.problem = problem;
    this.training = training;
    shape = problem.shape();
    layer = shape.build();
    layer.parameters().forEach(parameter -> parameter.set(problem.given(parameter.name())));
    input = rows(RecurrentCase.INPUT, shape.inputs());
    initial = state(problem);
    fromOutput = rows(RecurrentCase.FROM_OUTPUT, shape.outputSize());
  }

  private PackedSequence rows(String name, int features) {
    float[] values = problem.given(name);
    float[][][] sequences = new float[shape.sequences()][][];
    int start = 0;
    for (int b = 0; b < sequences.length; b++) {
      sequences[b] = new float[shape.lengths()[b]][];
      for (int t = 0; t < sequences[b].length; t++) {
        sequences[b][t] = Arrays.copyOfRange(values, start, start + features);
        start += features;
      }
    }
    return PackedSequence.of(workspace, sequences, features);
  }

  /** The initial state of a case. */
  static State state(RecurrentCase problem) {
    float[][][] h = {vectors(problem, RecurrentCase.INITIAL_H)};
    return problem.shape().cell().hasCells()
        ? State.of(h, new float[][][] {vectors(problem, RecurrentCase.INITIAL_C)})
        : State.of(h);
  }

  private static float[][] vectors(RecurrentCase problem, String name) {
    float[] values = problem.given(name);
    int hidden = problem.shape().hidden();
    float[][] vectors = new float[problem.shape().sequences()][];
    for (int b = 0; b < vectors.length; b++) {
      vectors[b] = Arrays.copyOfRange(values, b * hidden, (b + 1) * hidden);
    }
    return vectors;
  }

  private RecurrentOutput pass() {
    return training ? layer.forward(input, initial) : layer.infer(input, initial);
  }

  @Override
  public void run() {
    if (training) {
      layer.parameters().forEach(Parameter::changed);
    }
    try (RecurrentOutput output = pass()) {
      if (training) {
        layer.backward(output, fromOutput, null).close();
      }
    }
  }

  @Override
  public Map<String, float[]> results() {
    Map<String, float[]> results = new LinkedHashMap<>();
    layer.parameters().forEach(Parameter::zeroGradient);
    try (RecurrentOutput output = pass()) {
      results.put(RecurrentCase.OUTPUT, flat(output.outputs().toFlatArrays()));
      put(results, RecurrentCase.FINAL_H, RecurrentCase.FINAL_C, output.finalState());
      if (training) {
        try (RecurrentGradients gradients = layer.backward(output, fromOutput, null)) {
          String before = RecurrentCase.GRADIENT;
          results.put(before + RecurrentCase.INPUT, flat(gradients.input().toFlatArrays()));
          put(results, before + RecurrentCase.INITIAL_H, before + RecurrentCase.INITIAL_C, gradients.initialState());
          layer.parameters().forEach(parameter -> results.put(before + parameter.name(), parameter.gradient()));
        }
      }
    }
    return results;
  }

  /** Puts a state under its names. */
  static void put(Map<String, float[]> results, String h, String c, State state) {
    results.put(h, flat(state.hidden()[0]));
    if (state.hasCells()) {
      results.put(c, flat(state.cells()[0]));
    }
  }

  private static float[] flat(float[][] rows) {
    float[] values = new float[Arrays.stream(rows).mapToInt(row -> row.length).sum()];
    int start = 0;
    for (float[] row : rows) {
      System.arraycopy(row, 0, values, start, row.length);
      start += row.length;
    }
    return values;
  }

  @Override
  public void close() {
    input.close();
    initial.close();
    fromOutput.close();
    layer.close();
    workspace.close();
  }
}
