package dev.unroll.golden;

import dev.unroll.layer.Parameter;
import dev.unroll.model.LanguageModel;
import dev.unroll.model.TrainingOptions;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Training by the trainer itself: windows, carried states, schedule, clipping. Its sums are the weights after it. */
record LanguageModelRun() implements GoldenModel {
  private static final int VOCABULARY = 11;

  @Override
  public String name() {
    return "training-language-model";
  }

  @Override
  public boolean keepsSequencesApart() {
    return false;
  }

  @Override
  public Results run(List<Integer> which) {
    Random random = new Random(5);
    int[] text =
        IntStream.range(0, 3000).map(i -> i % 7 == 0 ? random.nextInt(VOCABULARY) : i * i % VOCABULARY).toArray();
    try (LanguageModel model =
        LanguageModel.builder(VOCABULARY).embeddingSize(9).hiddenSize(33).layers(2).seed(3).build()) {
      float loss = (float) model.train(text, TrainingOptions.DEFAULT.withEpochs(2).withBatch(24, 32), null);
      return new Results(
          new float[][][] {{{loss}}}, model.parameters().values().stream().map(Parameter::values).toList());
    }
  }
}
