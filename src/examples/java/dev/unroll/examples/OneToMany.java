package dev.unroll.examples;

import dev.unroll.model.*;

/** One to many: from one letter the whole word; each output becomes the next input. */
public class OneToMany {
  public static void main(String[] args) {
    CharVocabulary letters = CharVocabulary.of("jeep");
    LanguageModel cells = LanguageModel.builder(letters.size()).embeddingSize(3).hiddenSize(8).layers(1).build();
    try (CharLanguageModel model = new CharLanguageModel(letters, cells)) {
      TrainingOptions options = TrainingOptions.DEFAULT.withEpochs(150).withBatch(1, 3).withLearningRate(0.02, 0.02);
      model.train("jeep", options, null);
      System.out.println("j" + model.generate("j", 3, 0, 1));
    }
  }
}
