package dev.unroll.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** The textbook example: dictionary {j, e, p}, sample "jeep". The first e is followed by e, the second by p. */
class JeepTest {
  private static final TrainingOptions OPTIONS =
      TrainingOptions.DEFAULT.withEpochs(150).withBatch(1, 3).withLearningRate(0.02, 0.02);

  @Test
  void learnsJeepAndSpellsIt() {
    CharVocabulary vocabulary = CharVocabulary.of("jeep");
    assertEquals("ejp", vocabulary.characters());
    LanguageModel cells = LanguageModel.builder(vocabulary.size()).embeddingSize(3).hiddenSize(8).layers(1).build();
    try (CharLanguageModel model = new CharLanguageModel(vocabulary, cells)) {
      double before = model.evaluate("jeep");
      model.train("jeep", OPTIONS, null);

      assertEquals("eep", model.predict("jee"));
      assertEquals("eep", model.generate("j", 3, 0, 1));
      assertEquals("eep", model.generate("j", 3, 0.2, 1));
      assertTrue(model.evaluate("jeep") < 0.05, "loss " + model.evaluate("jeep") + ", before " + before);
    }
  }
}
