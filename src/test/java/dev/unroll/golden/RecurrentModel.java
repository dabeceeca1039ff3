package dev.unroll.golden;

import dev.unroll.layer.Parameter;
import dev.unroll.layer.Recurrent;
import dev.unroll.layer.RecurrentBuilder;
import dev.unroll.layer.RecurrentGradients;
import dev.unroll.layer.RecurrentOutput;
import dev.unroll.layer.State;
import dev.unroll.sequence.PackedSequence;
import java.util.List;
import java.util.function.Supplier;

/** One kind of recurrent layer, from given initial states, with gradients of outputs and final states. */
record RecurrentModel(
    String name, boolean keepsSequencesApart, Supplier<RecurrentBuilder<?, ? extends Recurrent>> builder)
    implements GoldenModel {
  static final int INPUTS = 33;
  static final int HIDDEN = 70;

  @Override
  public Results run(List<Integer> which) {
    try (Recurrent layer = builder.get().build();
        State initial = state(layer, which, 3);
        PackedSequence input = Data.batch(which, INPUTS, 1);
        RecurrentOutput output = layer.forwardTraining(input, initial, 77);
        PackedSequence dOutputs = Data.batch(which, layer.outputSize(), 2);
        State dFinal = state(layer, which, 4);
        RecurrentGradients gradients = layer.backward(output, dOutputs, dFinal)) {
      float[][] outputs = output.outputs().toFlatArrays();
      float[][] dInputs = gradients.input().toFlatArrays();
      float[][][] results = new float[which.size()][][];
      for (int b = 0; b < results.length; b++) {
        results[b] =
            Data.join(
                new float[][] {outputs[b], dInputs[b]},
                ofSequence(output.finalState(), b),
                ofSequence(gradients.initialState(), b));
      }
      return new Results(results, layer.parameters().stream().map(Parameter::gradient).toList());
    }
  }

  /** Shaped as the layer's states, which only a run shows for every option. */
  private static State state(Recurrent layer, List<Integer> which, int purpose) {
    try (PackedSequence nothing = PackedSequence.ofFlat(new float[1][0], INPUTS);
        RecurrentOutput output = layer.forward(nothing)) {
      State shape = output.finalState();
      float[][][] hidden = entries(which, shape.entries(), shape.hiddenSize(), purpose);
      if (!shape.hasCells()) {
        return State.of(hidden);
      }
      return State.of(hidden, entries(which, shape.entries(), shape.cells()[0][0].length, purpose + 10));
    }
  }

  private static float[][][] entries(List<Integer> which, int count, int size, int purpose) {
    float[][][] values = new float[count][which.size()][];
    for (int e = 0; e < count; e++) {
      for (int b = 0; b < which.size(); b++) {
        values[e][b] = Data.vector(size, purpose, which.get(b), e);
      }
    }
    return values;
  }

  private static float[][] ofSequence(State state, int sequence) {
    float[][] rows = new float[state.entries() * (state.hasCells() ? 2 : 1)][];
    for (int e = 0; e < state.entries(); e++) {
      rows[e] = state.hidden()[e][sequence];
      if (state.hasCells()) {
        rows[state.entries() + e] = state.cells()[e][sequence];
      }
    }
    return rows;
  }
}
