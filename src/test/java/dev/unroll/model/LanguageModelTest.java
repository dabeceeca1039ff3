package dev.unroll.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.Unroll;
import dev.unroll.sequence.PackedTokens;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LanguageModelTest {
  private static final int VOCABULARY = 11;

  private static int[] text(int size) {
    Random random = new Random(5);
    return IntStream.range(0, size).map(i -> (i % 7 == 0 ? random.nextInt(VOCABULARY) : i * i % VOCABULARY)).toArray();
  }

  private static LanguageModel model() {
    return LanguageModel.builder(VOCABULARY).embeddingSize(9).hiddenSize(33).layers(2).seed(3).build();
  }

  @Test
  void evaluationIsTheMeanOfThePredictionsOfASession() {
    int[] text = text(1200); // more than two evaluation windows
    try (LanguageModel model = model();
        LanguageModelSession session = model.session()) {
      double sum = 0;
      for (int i = 0; i + 1 < text.length; i++) {
        float[] scores = session.next(text[i]);
        double total = 0;
        for (float score : scores) {
          total += Math.exp(score);
        }
        sum += Math.log(total) - scores[text[i + 1]];
      }
      // Both sum 1199 losses of about 2.4 that were rounded to float.
      assertEquals(sum / (text.length - 1), model.evaluate(text), 1e-6);
    }
  }

  @Test
  void lossFallsAndTheListenerHearsOfEveryWindow() {
    int[] text = text(1500);
    TrainingOptions options = TrainingOptions.DEFAULT.withEpochs(3).withBatch(4, 32);
    List<TrainingProgress> heard = new ArrayList<>();
    try (LanguageModel model = model()) {
      double before = model.evaluate(text);
      double last = model.train(text, options, heard::add);
      assertTrue(model.evaluate(text) < before - 0.3, "before " + before + ", after " + model.evaluate(text));
      assertTrue(last < before);
    }
    TrainingProgress end = heard.get(heard.size() - 1);
    assertEquals(3 * 1499, end.tokens());
    assertEquals(3 * 1499, end.totalTokens());
    assertEquals(3, end.epoch());
    assertTrue(heard.stream().mapToLong(TrainingProgress::tokens).distinct().count() == heard.size());
  }

  @Test
  void aWindowBeyondTheTextCutsNoGradient() {
    int[] text = text(200);
    TrainingOptions whole = TrainingOptions.DEFAULT.withEpochs(2).withBatch(3, 1000);
    try (LanguageModel model = model();
        LanguageModel same = model()) {
      double expected = same.train(text, whole, null);
      assertEquals(expected, model.train(text, whole.withBatch(3, Integer.MAX_VALUE), null));
      assertEquals(same.evaluate(text), model.evaluate(text));
    }
  }

  @Test
  void aTinyTemperatureTakesTheMostProbableToken() {
    try (LanguageModel model = model()) {
      int[] expected = model.generate(new int[] {1}, 50, 0, 7);
      assertArrayEquals(expected, model.generate(new int[] {1}, 50, 2e-38, 7));
    }
  }

  @Test
  void trainingAllocatesNoNativeMemoryAfterTheFirstWindows() {
    int[] text = text(4001);
    List<Long> live = new ArrayList<>();
    try (LanguageModel model = model()) {
      model.train(text, TrainingOptions.DEFAULT.withEpochs(1).withBatch(4, 25), p -> live.add(Unroll.liveBytes()));
    }
    // The last window is as long as the others: 1000 steps a stream, 25 a window.
    assertEquals(40, live.size());
    assertEquals(live.get(2), live.get(39));
  }

  @Test
  void generationDependsOnTheSeedAlone() {
    try (LanguageModel model = model()) {
      int[] prime = {1, 2, 3};
      int[] first = model.generate(prime, 50, 1, 42);
      assertArrayEquals(first, model.generate(prime, 50, 1, 42));
      assertNotEquals(Arrays.toString(first), Arrays.toString(model.generate(prime, 50, 1, 43)));
      assertArrayEquals(Arrays.copyOf(first, 20), model.generate(prime, 20, 1, 42));
    }
  }

  @Test
  void samplingFollowsTheProbabilities() {
    // Zero weights but for the output bias make every token independent of what was before.
    try (LanguageModel model = LanguageModel.builder(3).embeddingSize(1).hiddenSize(1).build()) {
      model.parameters().values().forEach(p -> p.set(new float[p.size()]));
      float[] scores = {(float) Math.log(0.2), (float) Math.log(0.5), (float) Math.log(0.3)};
      model.parameters().get("linear.bias").set(scores);
      int[] counts = new int[3];
      for (int token : model.generate(new int[] {0}, 4000, 1, 7)) {
        counts[token]++;
      }
      // Five standard deviations of a count of 4000 draws are at most 158.
      assertEquals(800, counts[0], 158);
      assertEquals(2000, counts[1], 158);
      assertEquals(1200, counts[2], 158);
    }
  }

  @Test
  void everyTrainingWindowDropsOtherElements() {
    try (LanguageModel model = LanguageModel.builder(VOCABULARY).hiddenSize(33).layers(2).dropout(0.5).seed(3).build();
        PackedTokens tokens = PackedTokens.of(new int[][] {text(20)}, VOCABULARY);
        LanguageModel.Pass first = model.forwardTraining(tokens, null);
        LanguageModel.Pass second = model.forwardTraining(tokens, null)) {
      float[][] scores = first.scores().toFlatArrays();
      assertFalse(Arrays.deepEquals(scores, second.scores().toFlatArrays()));
    }
  }

  @Test
  void streamsMayHaveDifferentNumbersOfWindows() {
    int[] text = text(22); // two streams of 10 and 11 steps
    List<TrainingProgress> heard = new ArrayList<>();
    try (LanguageModel model = model()) {
      model.train(text, TrainingOptions.DEFAULT.withEpochs(1).withBatch(2, 10), heard::add);
    }
    assertEquals(List.of(20L, 21L), heard.stream().map(TrainingProgress::tokens).toList());
  }
}
