package dev.unroll.golden;

import dev.unroll.layer.Embedding;
import dev.unroll.layer.Layer;
import dev.unroll.layer.Parameter;
import dev.unroll.layer.Recurrent;
import dev.unroll.layer.RecurrentBuilder;
import dev.unroll.layer.RecurrentGradients;
import dev.unroll.layer.RecurrentOutput;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import dev.unroll.sequence.TokenVectors;
import java.util.List;
import java.util.function.Supplier;

/** One kind of recurrent layer over the vectors of distinct tokens. */
record TokenModel(String name, Supplier<RecurrentBuilder<?, ? extends Recurrent>> builder) implements GoldenModel {
  private static final int VOCABULARY = 19;

  @Override
  public boolean keepsSequencesApart() {
    return true;
  }

  @Override
  public Results run(List<Integer> which) {
    int[][] sequences = which.stream().map(b -> Data.tokens(b, VOCABULARY, 12)).toArray(int[][]::new);
    try (Embedding embedding = new Embedding(VOCABULARY, RecurrentModel.INPUTS, 26);
        Recurrent layer = builder.get().build();
        PackedTokens tokens = PackedTokens.of(sequences, VOCABULARY);
        TokenVectors input = TokenVectors.of(tokens, embedding::forward);
        RecurrentOutput output = layer.forward(input);
        PackedSequence last = output.last();
        PackedSequence dOutputs = Data.batch(which, layer.outputSize(), 2);
        RecurrentGradients gradients = layer.backward(output, dOutputs, null)) {
      embedding.backward(input.distinct(), gradients.input());
      float[][] outputs = output.outputs().toFlatArrays();
      float[][] lasts = last.toFlatArrays();
      float[][][] results = new float[which.size()][][];
      for (int b = 0; b < results.length; b++) {
        results[b] = new float[][] {outputs[b], lasts[b]};
      }
      return new Results(
          results, Layer.parametersOf(embedding, layer).stream().map(Parameter::gradient).toList());
    }
  }
}
