package dev.unroll.model;

import static dev.unroll.Expect.refusal;
import static dev.unroll.Expect.refused;
import static dev.unroll.Expect.refusedWithoutLeak;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.Expect;
import dev.unroll.Unroll;
import dev.unroll.layer.Parameter;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/** Every wrong argument of the language models. */
class ModelAbuseTest {
  private static final Class<NullPointerException> NULL = NullPointerException.class;
  private static final Class<IllegalArgumentException> ARGUMENT = IllegalArgumentException.class;
  private static final Class<IllegalStateException> STATE = IllegalStateException.class;
  private static final TrainingOptions SHORT = new TrainingOptions(1, 2, 3, 0.01, 0.001, 1);

  private final CharVocabulary letters = CharVocabulary.of("abcd");
  private final LanguageModel model = LanguageModel.builder(4).embeddingSize(3).hiddenSize(5).build();
  private final CharLanguageModel chars = new CharLanguageModel(letters, model);

  @AfterEach
  void close() {
    chars.close();
  }

  @TestFactory
  Stream<DynamicTest> vocabularyRefuses() {
    return Stream.of(
        refusal("null text", NULL, () -> CharVocabulary.of(null), "text is null"),
        refusal("empty text", ARGUMENT, () -> CharVocabulary.of(""), "length of text is 0", "1 or more"),
        refusal("encode null", NULL, () -> letters.encode(null), "text is null"),
        refusal("strange letter", ARGUMENT, () -> letters.encode("abx"), "character 2", "'x' (U+0078)", "4"),
        refusal("strange symbol", ARGUMENT, () -> letters.encode("a\uD83D\uDE00"), "character 1", "U+1F600"),
        refusal("half a symbol", ARGUMENT, () -> letters.encode("\uD83D"), "character 0", "U+D83D"),
        refusal("decode null", NULL, () -> letters.decode(null), "tokens is null"),
        refusal("negative token", ARGUMENT, () -> letters.decode(new int[] {0, -1}), "tokens[1] is -1", "below 4"),
        refusal("token too large", ARGUMENT, () -> letters.decode(new int[] {4}), "tokens[0] is 4", "below 4"));
  }

  @TestFactory
  Stream<DynamicTest> buildersRefuse() {
    return Stream.of(
        refusal("no vocabulary", ARGUMENT, () -> LanguageModel.builder(0), "vocabulary is 0", "1 or more"),
        refusal("embedding", ARGUMENT, () -> LanguageModel.builder(4).embeddingSize(0), "embeddingSize is 0"),
        refusal("hidden", ARGUMENT, () -> LanguageModel.builder(4).hiddenSize(-1), "hiddenSize is -1", "1 or more"),
        refusal("layers", ARGUMENT, () -> LanguageModel.builder(4).layers(0), "layers is 0", "1 or more"),
        refusal("null vocabulary", NULL, () -> new CharLanguageModel(null, model), "vocabulary is null"),
        refusal("null model", NULL, () -> new CharLanguageModel(letters, null), "model is null"),
        refusal("default of null", NULL, () -> CharLanguageModel.of(null), "vocabulary is null"),
        refusal(
            "sizes differ",
            ARGUMENT,
            () -> new CharLanguageModel(CharVocabulary.of("ab"), model),
            "vocabulary of model is 4",
            "expected 2"));
  }

  @TestFactory
  Stream<DynamicTest> trainingOptionsRefuse() {
    TrainingOptions right = TrainingOptions.DEFAULT;
    Stream<DynamicTest> counts =
        Stream.of(0, -1, Integer.MIN_VALUE)
            .flatMap(
                n ->
                    Stream.of(
                        refusal("epochs " + n, ARGUMENT, () -> right.withEpochs(n), "epochs is " + n, "1 or more"),
                        refusal("streams " + n, ARGUMENT, () -> right.withBatch(n, 1), "streams is " + n, "1 or more"),
                        refusal("window " + n, ARGUMENT, () -> right.withBatch(1, n), "window is " + n, "1 or more")));
    Stream<DynamicTest> rates =
        DoubleStream.of(0, -1, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY)
            .boxed()
            .flatMap(
                v ->
                    Stream.of(
                        refusal("rate " + v, ARGUMENT, () -> right.withLearningRate(v, 1), "learningRate is " + v),
                        refusal("last " + v, ARGUMENT, () -> right.withLearningRate(1, v), "finalLearningRate is " + v),
                        refusal(
                            "clip " + v, ARGUMENT, () -> new TrainingOptions(1, 1, 1, 1, 1, v), "clipNorm is " + v)));
    return Stream.concat(counts, rates);
  }

  @TestFactory
  Stream<DynamicTest> modelRefusesAndKeepsItsWeights() {
    int[] right = {0, 1, 2};
    int[] one = {0};
    int[] strange = {0, 4};
    int[] negative = {0, 1, -1};
    return unchanged(
        refusal("train null", NULL, () -> model.train(null, SHORT, null), "tokens is null"),
        refusal("train without options", NULL, () -> model.train(right, null, null), "options is null"),
        refusal("train one token", ARGUMENT, () -> model.train(one, SHORT, null), "number of tokens is 1", "2 or more"),
        refusal("train nothing", ARGUMENT, () -> model.train(new int[0], SHORT, null), "number of tokens is 0"),
        refusal("train strange", ARGUMENT, () -> model.train(strange, SHORT, null), "tokens[1] is 4", "below 4"),
        refusal("train negative", ARGUMENT, () -> model.train(negative, SHORT, null), "tokens[2] is -1"),
        refusal("evaluate null", NULL, () -> model.evaluate(null), "tokens is null"),
        refusal("evaluate one token", ARGUMENT, () -> model.evaluate(one), "number of tokens is 1", "2 or more"),
        refusal("evaluate strange", ARGUMENT, () -> model.evaluate(strange), "tokens[1] is 4", "below 4"),
        refusal("predict null", NULL, () -> model.predict(null), "tokens is null"),
        refusal("predict strange", ARGUMENT, () -> model.predict(negative), "tokens[2] is -1", "below 4"),
        refusal("generate null", NULL, () -> model.generate(null, 1, 1, 0), "prime is null"),
        refusal("no prime", ARGUMENT, () -> model.generate(new int[0], 1, 1, 0), "number of tokens is 0", "1 or more"),
        refusal("strange prime", ARGUMENT, () -> model.generate(strange, 1, 1, 0), "tokens[1] is 4"),
        refusal("negative length", ARGUMENT, () -> model.generate(right, -1, 1, 0), "length is -1", "0 or more"),
        refusal("negative temperature", ARGUMENT, () -> model.generate(right, 1, -1, 0), "temperature is -1.0"),
        refusal("no temperature", ARGUMENT, () -> model.generate(right, 1, Double.NaN, 0), "temperature is NaN"),
        refusal("tiny temperature", ARGUMENT, () -> model.generate(right, 1, 1e-300, 0), "temperature is 1.0E-300"),
        refusal(
            "hot", ARGUMENT, () -> model.generate(right, 1, Double.POSITIVE_INFINITY, 0), "temperature is Infinity"));
  }

  @TestFactory
  Stream<DynamicTest> modelOfCharactersRefusesAndKeepsItsWeights() {
    return unchanged(
        refusal("train null", NULL, () -> chars.train(null, SHORT, null), "text is null"),
        refusal("train without options", NULL, () -> chars.train("abc", null, null), "options is null"),
        refusal("train a letter", ARGUMENT, () -> chars.train("a", SHORT, null), "number of tokens is 1", "2 or more"),
        refusal("train strange", ARGUMENT, () -> chars.train("abz", SHORT, null), "character 2", "'z' (U+007A)"),
        refusal("evaluate null", NULL, () -> chars.evaluate(null), "text is null"),
        refusal("evaluate nothing", ARGUMENT, () -> chars.evaluate(""), "number of tokens is 0", "2 or more"),
        refusal("evaluate strange", ARGUMENT, () -> chars.evaluate("za"), "character 0", "'z'"),
        refusal("predict null", NULL, () -> chars.predict(null), "text is null"),
        refusal("predict strange", ARGUMENT, () -> chars.predict("a\n"), "character 1", "U+000A"),
        refusal("generate null", NULL, () -> chars.generate(null, 1, 1, 0), "prime is null"),
        refusal("generate from nothing", ARGUMENT, () -> chars.generate("", 1, 1, 0), "number of tokens is 0"),
        refusal("generate strange", ARGUMENT, () -> chars.generate("A", 1, 1, 0), "character 0", "'A'"),
        refusal("negative length", ARGUMENT, () -> chars.generate("a", -5, 1, 0), "length is -5", "0 or more"),
        refusal("temperature", ARGUMENT, () -> chars.generate("a", 1, -0.5, 0), "temperature is -0.5", "0 or more"));
  }

  private Stream<DynamicTest> unchanged(DynamicTest... table) {
    float[][] before = weights();
    DynamicTest last = DynamicTest.dynamicTest("weights are unchanged", () -> Expect.sameBits(before, weights()));
    return Stream.concat(Stream.of(table), Stream.of(last));
  }

  private float[][] weights() {
    return model.parameters().values().stream().map(Parameter::values).toArray(float[][]::new);
  }

  @Test
  void nothingToPredictOrGenerateIsLegal() {
    assertEquals("", chars.predict(""));
    assertEquals("", chars.generate("ab", 0, 1, 0));
    assertArrayEquals(new int[0], letters.encode(""));
    assertEquals("", letters.decode(new int[0]));
  }

  @TestFactory
  Stream<DynamicTest> closedModelRefusesEverythingAndNamesItself() {
    LanguageModelSession session = model.session();
    session.next(0);
    chars.close();
    chars.close();
    int[] tokens = {0, 1, 2};
    String name = "the layer of parameter";
    return Stream.of(
        refusal("train", STATE, () -> model.train(tokens, SHORT, null), name, "is closed"),
        refusal("evaluate", STATE, () -> model.evaluate(tokens), name, "is closed"),
        refusal("predict", STATE, () -> model.predict(tokens), name, "is closed"),
        refusal("predict nothing", STATE, () -> model.predict(new int[0]), "is closed"),
        refusal("generate", STATE, () -> model.generate(tokens, 3, 1, 0), name, "is closed"),
        refusal("generate nothing", STATE, () -> model.generate(tokens, 0, 1, 0), name, "is closed"),
        refusal("open session", STATE, () -> session.next(1), name, "is closed"),
        refusal("new session", STATE, () -> model.session().next(1), name, "is closed"),
        refusal("train text", STATE, () -> chars.train("abc", SHORT, null), name, "is closed"),
        refusal("evaluate text", STATE, () -> chars.evaluate("abc"), name, "is closed"),
        refusal("predict text", STATE, () -> chars.predict("abc"), name, "is closed"),
        refusal("generate text", STATE, () -> chars.generate("abc", 3, 1, 0), name, "is closed"));
  }

  @Test
  void sessionRefusesAStrangeTokenAndKeepsItsState() {
    try (LanguageModelSession session = model.session();
        LanguageModelSession twin = model.session()) {
      session.next(2);
      twin.next(2);
      for (int token : new int[] {-1, 4, Integer.MAX_VALUE}) {
        refused(ARGUMENT, () -> session.next(token), "token is " + token, "below 4");
      }
      assertArrayEquals(Expect.bits(twin.next(3)), Expect.bits(session.next(3)));
    }
  }

  @Test
  void closedSessionRefusesAndNamesItself() {
    LanguageModelSession unused = model.session();
    LanguageModelSession used = model.session();
    used.next(0);
    for (LanguageModelSession session : List.of(unused, used)) {
      session.close();
      session.close();
      refused(STATE, () -> session.next(1), "LanguageModelSession is closed");
    }
  }

  @Test
  void exceptionOfTheListenerComesThroughAndLeavesNoMemoryBehind() {
    int[] tokens = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3};
    model.train(tokens, SHORT, null); // from now on there are gradients
    Executable call =
        () ->
            model.train(
                tokens,
                SHORT,
                progress -> {
                  throw new UnsupportedOperationException("enough");
                });
    refused(UnsupportedOperationException.class, call, "enough");
    refusedWithoutLeak(UnsupportedOperationException.class, call);
  }

  @Test
  void closedModelLeavesNothingLive() {
    long before = Unroll.liveBytes();
    try (LanguageModel other = LanguageModel.builder(4).embeddingSize(3).hiddenSize(5).layers(2).build()) {
      int[] tokens = {0, 1, 2, 3, 0, 1, 2};
      other.train(tokens, SHORT, progress -> {});
      other.evaluate(tokens);
      other.predict(tokens);
      other.generate(tokens, 5, 0.7, 1);
    }
    assertTrue(Unroll.liveBytes() <= before);
  }
}
