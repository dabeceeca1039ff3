package dev.unroll.peers;

import dev.unroll.layer.Parameter;
import dev.unroll.layer.Recurrent;
import dev.unroll.layer.RecurrentGradients;
import dev.unroll.layer.RecurrentOutput;
import dev.unroll.layer.State;
import dev.unroll.sequence.PackedSequence;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** Runs a case, forward and backward, on this library. */
public final class UnrollRecurrent {
  private UnrollRecurrent() {}

  /** Answers a case as {@link RecurrentCase} says. */
  public static Map<String, float[]> run(RecurrentCase c) {
    RecurrentShape shape = c.shape();
    Map<String, float[]> results = new LinkedHashMap<>();
    try (Recurrent layer = shape.build()) {
      layer.parameters().forEach(parameter -> parameter.set(c.given(parameter.name())));
      try (PackedSequence input = rows(shape, c.given(RecurrentCase.INPUT), shape.inputs());
          State initial = state(shape, c.given(RecurrentCase.INITIAL_H), c.given(RecurrentCase.INITIAL_C));
          PackedSequence fromOutput = rows(shape, c.given(RecurrentCase.FROM_OUTPUT), shape.outputSize());
          State fromFinal = state(shape, c.given(RecurrentCase.FROM_FINAL_H), c.given(RecurrentCase.FROM_FINAL_C));
          RecurrentOutput output = layer.forward(input, initial);
          RecurrentGradients gradients = layer.backward(output, fromOutput, fromFinal)) {
        results.put(RecurrentCase.OUTPUT, flat(output.outputs().toFlatArrays()));
        putState(results, RecurrentCase.FINAL_H, RecurrentCase.FINAL_C, output.finalState());
        results.put(RecurrentCase.GRADIENT + RecurrentCase.INPUT, flat(gradients.input().toFlatArrays()));
        putState(
            results,
            RecurrentCase.GRADIENT + RecurrentCase.INITIAL_H,
            RecurrentCase.GRADIENT + RecurrentCase.INITIAL_C,
            gradients.initialState());
        for (Parameter parameter : layer.parameters()) {
          results.put(RecurrentCase.GRADIENT + parameter.name(), parameter.gradient());
        }
      }
    }
    return results;
  }

  private static PackedSequence rows(RecurrentShape shape, float[] values, int features) {
    if (values == null) {
      return null;
    }
    float[][] sequences = new float[shape.sequences()][];
    int start = 0;
    for (int b = 0; b < sequences.length; b++) {
      int end = start + shape.lengths()[b] * features;
      sequences[b] = Arrays.copyOfRange(values, start, end);
      start = end;
    }
    return PackedSequence.ofFlat(sequences, features);
  }

  private static State state(RecurrentShape shape, float[] hidden, float[] cells) {
    if (hidden == null) {
      return null;
    }
    float[][][] h = cube(shape, hidden, shape.stateSize());
    return cells == null ? State.of(h) : State.of(h, cube(shape, cells, shape.hidden()));
  }

  private static float[][][] cube(RecurrentShape shape, float[] values, int size) {
    float[][][] cube = new float[shape.entries()][shape.sequences()][];
    int start = 0;
    for (float[][] entry : cube) {
      for (int b = 0; b < entry.length; b++) {
        entry[b] = Arrays.copyOfRange(values, start, start + size);
        start += size;
      }
    }
    return cube;
  }

  private static void putState(Map<String, float[]> results, String hidden, String cells, State state) {
    results.put(hidden, flat(Arrays.stream(state.hidden()).flatMap(Arrays::stream).toArray(float[][]::new)));
    if (state.hasCells()) {
      results.put(cells, flat(Arrays.stream(state.cells()).flatMap(Arrays::stream).toArray(float[][]::new)));
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
}
