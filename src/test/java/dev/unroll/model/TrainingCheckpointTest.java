package dev.unroll.model;

import static dev.unroll.Expect.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.Expect;
import dev.unroll.io.SafeTensors;
import dev.unroll.io.SafeTensorsException;
import dev.unroll.io.Tensor;
import dev.unroll.layer.Parameter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Trainings that are stopped and go on. */
class TrainingCheckpointTest {
  private static final int VOCABULARY = 7;
  private static final TrainingOptions OPTIONS = TrainingOptions.DEFAULT.withEpochs(4).withBatch(3, 16);
  private static final int[] TEXT = new Random(1).ints(400, 0, VOCABULARY).toArray();

  @TempDir Path folder;

  private static LanguageModel model(long seed) {
    return LanguageModel.builder(VOCABULARY).embeddingSize(5).hiddenSize(9).dropout(0.3).seed(seed).build();
  }

  private static float[][] weights(LanguageModel model) {
    return model.parameters().values().stream().map(Parameter::values).toArray(float[][]::new);
  }

  /** Ends a training by an exception in the middle of an epoch. */
  private static Consumer<TrainingProgress> stopIn(int epoch) {
    return progress -> {
      if (progress.epoch() == epoch && progress.tokens() > (epoch - 0.5) * TEXT.length) {
        throw new IllegalStateException("stopped");
      }
    };
  }

  @Test
  void aTrainingThatWasStoppedEndsWithTheBitsOfOneThatNeverWas() throws IOException {
    Path file = folder.resolve("training");
    float[][] expected;
    double loss;
    try (LanguageModel model = model(2)) {
      loss = model.train(TEXT, OPTIONS, null);
      expected = weights(model);
    }
    for (int epoch = 1; epoch <= 4; epoch++) {
      Consumer<TrainingProgress> stop = stopIn(epoch);
      try (LanguageModel model = model(2)) {
        assertThrows(IllegalStateException.class, () -> model.train(TEXT, OPTIONS, file, stop));
        assertThrows(IllegalStateException.class, () -> model.train(TEXT, OPTIONS, file, stop), "from what it is now");
      }
    }
    int[] windows = new int[5];
    try (LanguageModel model = model(2)) {
      assertEquals(loss, model.train(TEXT, OPTIONS, file, progress -> windows[progress.epoch()]++));
      Expect.sameBits(expected, weights(model));
    }
    assertTrue(windows[3] == 0 && windows[4] > 0, "the last epoch alone is trained again");
    try (LanguageModel model = model(2)) {
      Consumer<TrainingProgress> none = progress -> {
        throw new AssertionError("nothing is left to be trained");
      };
      assertEquals(loss, model.train(TEXT, OPTIONS, file, none));
      Expect.sameBits(expected, weights(model));
    }
  }

  @Test
  void charactersGoOnLikewise() throws IOException {
    String text = "the cat sat on the mat, and the rat sat on the cat; ".repeat(4);
    CharVocabulary vocabulary = CharVocabulary.of(text);
    Path file = folder.resolve("characters");
    try (CharLanguageModel model = new CharLanguageModel(vocabulary, characters(vocabulary));
        CharLanguageModel other = new CharLanguageModel(vocabulary, characters(vocabulary))) {
      double loss = model.train(text, OPTIONS, file, null);
      Consumer<TrainingProgress> none = progress -> {
        throw new AssertionError("nothing is left to be trained");
      };
      assertEquals(loss, other.train(text, OPTIONS, file, none));
      Expect.sameBits(weights(model.model()), weights(other.model()));
    }
  }

  private static LanguageModel characters(CharVocabulary vocabulary) {
    return LanguageModel.builder(vocabulary.size()).embeddingSize(3).hiddenSize(5).build();
  }

  @Test
  void anotherTrainingDoesNotGoOn() throws IOException {
    Path file = folder.resolve("training");
    Consumer<TrainingProgress> stop = stopIn(2);
    Class<SafeTensorsException> other = SafeTensorsException.class;
    try (LanguageModel model = model(2)) {
      assertThrows(IllegalStateException.class, () -> model.train(TEXT, OPTIONS, file, stop));
      float[][] before = weights(model);
      refused(other, () -> model.train(TEXT, OPTIONS.withEpochs(5), file, null), "options is ", "epochs=4", "epochs=5");
      int[] text = TEXT.clone();
      text[17] = (text[17] + 1) % VOCABULARY;
      refused(other, () -> model.train(text, OPTIONS, file, null), "text is 400 tokens");
      Path nowhere = folder.resolve("none").resolve("training");
      refused(NoSuchFileException.class, () -> model.train(TEXT, OPTIONS, nowhere, null), "no folder");
      for (String name : new String[] {"epochs", "loss", "dropout_key"}) {
        Path wrong = changed(file, name, "x", Map.of());
        refused(other, () -> model.train(TEXT, OPTIONS, wrong, null), name + " is x");
      }
      for (String epochs : new String[] {"5", "-1"}) {
        Path wrong = changed(file, "epochs", epochs, Map.of());
        refused(other, () -> model.train(TEXT, OPTIONS, wrong, null), "epochs is " + epochs);
      }
      Path wrongSteps = changed(file, "loss", "1", Map.of("adam.step", Tensor.of(new float[] {0.5f, 0}, 2)));
      refused(other, () -> model.train(TEXT, OPTIONS, wrongSteps, null), "step is [0.5, 0.0]");
      Path extra = changed(file, "loss", "1", Map.of("model.more", Tensor.of(new float[1], 1)));
      refused(other, () -> model.train(TEXT, OPTIONS, extra, null), "extra: [\"model.more\"]");
      Path weights = folder.resolve("weights");
      model.save(weights);
      refused(other, () -> model.train(TEXT, OPTIONS, weights, null), "no options in its metadata");
      Path text2 = Files.writeString(folder.resolve("text"), "no such file");
      refused(other, () -> model.train(TEXT, OPTIONS, text2, null), text2.toString());
      Expect.sameBits(before, weights(model));
      refused(NullPointerException.class, () -> model.train(TEXT, OPTIONS, (Path) null, null), "checkpoint is null");
    }
    try (LanguageModel model = model(3)) {
      refused(other, () -> model.train(TEXT, OPTIONS, file, null), "dropout is 0.3, seed 2", "seed 3");
    }
  }

  /** A copy of a checkpoint with other metadata, and other tensors beside its own. */
  private Path changed(Path file, String name, String value, Map<String, Tensor> more) throws IOException {
    Path copy = Files.createTempFile(folder, "changed", "");
    try (SafeTensors saved = SafeTensors.open(file)) {
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      for (String tensor : saved.names()) {
        tensors.put(tensor, Tensor.of(saved.values(tensor), saved.shape(tensor)));
      }
      tensors.putAll(more);
      Map<String, String> metadata = new LinkedHashMap<>(saved.metadata());
      metadata.put(name, value);
      SafeTensors.write(copy, tensors, metadata);
    }
    return copy;
  }
}
