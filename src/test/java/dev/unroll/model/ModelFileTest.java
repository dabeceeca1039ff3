package dev.unroll.model;

import static dev.unroll.Expect.refused;
import static dev.unroll.Expect.refusedWithoutLeak;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.io.SafeTensors;
import dev.unroll.io.SafeTensorsException;
import dev.unroll.io.Tensor;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Models go to a file and come back. */
class ModelFileTest {
  private static final String TEXT = "the quick brown fox jumps over the lazy dog \ud83d\ude00\uff21";

  @TempDir Path folder;

  private static CharLanguageModel model(LanguageModel.Cell cell, double dropout) {
    CharVocabulary vocabulary = CharVocabulary.of(TEXT);
    LanguageModelBuilder builder =
        LanguageModel.builder(vocabulary.size()).cell(cell).embeddingSize(7).hiddenSize(9).layers(3).dropout(dropout);
    return new CharLanguageModel(vocabulary, builder.seed(5).build());
  }

  @ParameterizedTest
  @EnumSource
  void aModelOfEveryKindPredictsTheSameBits(LanguageModel.Cell cell) throws IOException {
    Path file = folder.resolve("model.safetensors");
    try (CharLanguageModel model = model(cell, 0.25)) {
      model.train(TEXT.repeat(10), TrainingOptions.DEFAULT.withEpochs(1), null);
      model.save(file);
      try (CharLanguageModel loaded = CharLanguageModel.load(file);
          LanguageModel ofTokens = LanguageModel.load(file)) {
        assertEquals(model.evaluate(TEXT), loaded.evaluate(TEXT));
        assertEquals(model.generate("the", 30, 1, 3), loaded.generate("the", 30, 1, 3));
        assertEquals(0.25, loaded.model().dropout());
        assertEquals(model.evaluate(TEXT), ofTokens.evaluate(model.vocabulary().encode(TEXT)));
        ofTokens.save(file);
      }
      refused(SafeTensorsException.class, () -> CharLanguageModel.load(file), "no characters in the metadata");
    }
  }

  /** Sizes that are not those of the tensors take no memory. */
  @Test
  void aSmallFileMakesNoLargeModel() throws IOException {
    Path file = folder.resolve("bomb.safetensors");
    Map<String, Tensor> tensors = new HashMap<>();
    int hidden = 300_000; // whose recurrent weights would be 360 GB
    tensors.put("embedding.weight", Tensor.of(new float[1], 1, 1));
    tensors.put("linear.weight", Tensor.of(new float[hidden], 1, hidden));
    tensors.put("recurrent.weight_ih_l0", Tensor.of(new float[hidden], hidden, 1));
    tensors.put("recurrent.weight_ih_l1", Tensor.of(new float[0], 0));
    SafeTensors.write(file, tensors, Map.of());
    refused(SafeTensorsException.class, () -> LanguageModel.load(file), "missing", "recurrent.weight_hh_l0", "shapes");
  }

  @Test
  void halvesOfACharacterThatWouldBecomeOneAreRefused() {
    refused(IllegalArgumentException.class, () -> CharVocabulary.of("\uDE00x\uD83D"), "text", "surrogates in pairs");
    assertEquals(2, CharVocabulary.of("\uDE00x").size());
  }

  @Test
  void whatIsNoSuchModelIsRefused() throws IOException {
    Path file = folder.resolve("model.safetensors");
    Class<SafeTensorsException> type = SafeTensorsException.class;
    Map<String, Tensor> tensors = new HashMap<>();
    try (CharLanguageModel model = model(LanguageModel.Cell.GRU, 0)) {
      model.model().parameters().forEach((name, parameter) -> tensors.put(name, Tensor.of(parameter)));
      SafeTensors.write(file, tensors, Map.of("characters", "ab"));
      refusedWithoutLeak(type, () -> CharLanguageModel.load(file));
      refused(type, () -> CharLanguageModel.load(file), "2 characters for 29 tokens: expected as many");
      for (String dropout : new String[] {"1", "-0.5", "NaN", "much"}) {
        SafeTensors.write(file, tensors, Map.of("dropout", dropout));
        refused(type, () -> LanguageModel.load(file), "dropout is \"" + dropout + "\"");
      }
      tensors.put("recurrent.weight_hh_l1", Tensor.of(new float[3], 3));
      SafeTensors.write(file, tensors, Map.of());
      refusedWithoutLeak(type, () -> LanguageModel.load(file));
      refused(type, () -> LanguageModel.load(file), "recurrent.weight_hh_l1", "[27, 9]", "[3]");
      tensors.put("recurrent.weight_ih_l0", Tensor.of(new float[18 * 7], 18, 7));
      SafeTensors.write(file, tensors, Map.of());
      refused(type, () -> LanguageModel.load(file), "weight_ih_l0 has 2 gates: expected 1, 3 or 4");
      tensors.put("linear.weight", Tensor.of(new float[0], 3, 0));
      SafeTensors.write(file, tensors, Map.of());
      refused(type, () -> LanguageModel.load(file), "shape of linear.weight is wrong");
      tensors.remove("embedding.weight");
      SafeTensors.write(file, tensors, Map.of());
      refused(type, () -> LanguageModel.load(file), "no tensor embedding.weight: expected those of a language model");
      refused(NullPointerException.class, () -> model.save(null), "file is null");
      refused(NullPointerException.class, () -> model.model().save(null), "file is null");
    }
    refused(NullPointerException.class, () -> LanguageModel.load(null), "file is null");
    refused(NullPointerException.class, () -> CharLanguageModel.load(null), "file is null");
    refused(NoSuchFileException.class, () -> LanguageModel.load(folder.resolve("none")), "none");
    CharLanguageModel closed = model(LanguageModel.Cell.RNN, 0);
    closed.close();
    refused(IllegalStateException.class, () -> closed.save(file), "is closed");
  }
}
