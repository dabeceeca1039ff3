package dev.unroll.train;

import static dev.unroll.Expect.refusal;
import static dev.unroll.Expect.refused;
import static dev.unroll.Expect.refusedWithoutLeak;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.unroll.Expect;
import dev.unroll.layer.Linear;
import dev.unroll.layer.Parameter;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.DoubleFunction;
import java.util.function.Supplier;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/** Every wrong argument of losses and optimisers; a refused call changes nothing. */
class TrainAbuseTest {
  private static final Class<NullPointerException> NULL = NullPointerException.class;
  private static final Class<IllegalArgumentException> ARGUMENT = IllegalArgumentException.class;
  private static final Class<IllegalStateException> STATE = IllegalStateException.class;

  private final Linear first = new Linear(2, 3, 1);
  private final Linear second = new Linear(2, 3, 2);
  private final PackedSequence input = PackedSequence.of(new float[][][] {{{1, 2}}, {{3, 4}, {5, 6}}}, 2);
  private final PackedSequence scores = PackedSequence.of(new float[][][] {{{1, 2, 3}}, {{4, 5, 6}, {7, 8, 9}}}, 3);
  private final PackedTokens targets = PackedTokens.of(new int[][] {{0}, {1, 2}}, 3);
  private final CrossEntropy loss = new CrossEntropy(Divisor.MEAN_OVER_STEPS);

  @BeforeEach
  void giveGradients() {
    first.backward(input, scores).close();
    second.backward(input, scores).close();
  }

  @AfterEach
  void close() {
    first.close();
    second.close();
    input.close();
    scores.close();
    targets.close();
  }

  private List<Parameter> both() {
    List<Parameter> all = new ArrayList<>(first.parameters());
    all.addAll(second.parameters());
    return all;
  }

  private static float[][] content(List<Parameter> parameters) {
    return parameters.stream().flatMap(p -> Stream.of(p.values(), p.gradient())).toArray(float[][]::new);
  }

  /** One optimiser of every kind, by name. */
  private static Stream<DynamicTest> forEveryOptimizer(
      List<Parameter> parameters, Consumer<Supplier<Optimizer>> test) {
    return Stream.of(
        DynamicTest.dynamicTest("Sgd", () -> test.accept(() -> Sgd.builder(parameters).build())),
        DynamicTest.dynamicTest(
            "Sgd with momentum", () -> test.accept(() -> Sgd.builder(parameters).momentum(0.5).build())),
        DynamicTest.dynamicTest(
            "Sgd with clipping", () -> test.accept(() -> Sgd.builder(parameters).clipNorm(1).build())),
        DynamicTest.dynamicTest("Adam", () -> test.accept(() -> Adam.builder(parameters).build())),
        DynamicTest.dynamicTest(
            "Adam with clipping", () -> test.accept(() -> Adam.builder(parameters).clipNorm(1).build())));
  }

  @TestFactory
  Stream<DynamicTest> lossRefuses() {
    PackedTokens vocabulary = PackedTokens.of(new int[][] {{0}, {1, 2}}, 4);
    PackedTokens layout = PackedTokens.of(new int[][] {{1, 2}, {0}}, 3);
    PackedSequence closedScores = PackedSequence.of(new float[][][] {{{1, 2, 3}}}, 3);
    PackedTokens closedTargets = PackedTokens.of(new int[][] {{0}, {1, 2}}, 3);
    PackedTokens oneTarget = PackedTokens.of(new int[][] {{0}}, 3);
    PackedSequence short1 = PackedSequence.of(new float[][][] {{{1}}, {{1}}}, 1);
    PackedSequence closed1 = PackedSequence.of(new float[][][] {{{1}}, {{1}, {1}}}, 1);
    closed1.close();
    closedScores.close();
    closedTargets.close();
    return Stream.of(
        refusal("null divisor", NULL, () -> new CrossEntropy(null), "divisor is null"),
        refusal("smoothing", ARGUMENT, () -> new CrossEntropy(Divisor.MEAN_OVER_STEPS, 1.5), "labelSmoothing is 1.5", "0 to 1"),
        refusal("no smoothing", ARGUMENT, () -> new CrossEntropy(Divisor.MEAN_OVER_STEPS, Double.NaN), "labelSmoothing is NaN"),
        refusal("null scores", NULL, () -> loss.loss(null, targets), "scores is null"),
        refusal("null targets", NULL, () -> loss.loss(scores, null), "targets is null"),
        refusal("vocabulary", ARGUMENT, () -> loss.loss(scores, vocabulary), "features of scores is 3", "expected 4"),
        refusal("layout", ARGUMENT, () -> loss.loss(scores, layout), "layout of targets", "[2, 1]", "[1, 2]"),
        refusal("closed scores", STATE, () -> loss.loss(closedScores, oneTarget), "PackedSequence is closed"),
        refusal("closed targets", STATE, () -> loss.loss(scores, closedTargets), "PackedTokens is closed"),
        refusal("gradient, null scores", NULL, () -> loss.gradient(null, targets), "scores is null"),
        refusal("gradient, null targets", NULL, () -> loss.gradient(scores, null), "targets is null"),
        refusal("gradient, vocabulary", ARGUMENT, () -> loss.gradient(scores, vocabulary), "is 3", "expected 4"),
        refusal("gradient, layout", ARGUMENT, () -> loss.gradient(scores, layout), "[2, 1]", "[1, 2]"),
        refusal("gradient, closed scores", STATE, () -> loss.gradient(closedScores, oneTarget), "is closed"),
        refusal("gradient, closed targets", STATE, () -> loss.gradient(scores, closedTargets), "is closed"),
        refusal("null weights", NULL, () -> loss.loss(scores, targets, null), "weights is null"),
        refusal("gradient, null weights", NULL, () -> loss.gradient(scores, targets, null), "weights is null"),
        refusal("wide weights", ARGUMENT, () -> loss.loss(scores, targets, scores), "weights is 3: expected 1"),
        refusal("weights' layout", ARGUMENT, () -> loss.gradient(scores, targets, short1), "layout of weights is"),
        refusal("closed weights", STATE, () -> loss.gradient(scores, targets, closed1), "PackedSequence is closed"),
        refusal("each step, null scores", NULL, () -> loss.ofEachStep(null, targets), "scores is null"),
        refusal("each step, null targets", NULL, () -> loss.ofEachStep(scores, null), "targets is null"),
        refusal("each step, vocabulary", ARGUMENT, () -> loss.ofEachStep(scores, vocabulary), "expected 4"),
        refusal("each step, layout", ARGUMENT, () -> loss.ofEachStep(scores, layout), "[2, 1]", "[1, 2]"),
        refusal("each step, closed", STATE, () -> loss.ofEachStep(closedScores, oneTarget), "is closed"));
  }

  @Test
  void closedLossGradientRefuses() {
    LossGradient gradient = loss.gradient(scores, targets);
    gradient.close();
    gradient.close();
    refused(STATE, () -> gradient.gradient().toArrays(), "PackedSequence is closed");
    assertEquals(loss.loss(scores, targets), gradient.loss());
  }

  @Test
  void refusedLossLeavesNoMemoryBehind() {
    PackedTokens closed = PackedTokens.of(new int[][] {{0}, {1, 2}}, 3);
    closed.close();
    refusedWithoutLeak(STATE, () -> loss.loss(scores, closed));
    refusedWithoutLeak(STATE, () -> loss.gradient(scores, closed));
  }

  @TestFactory
  Stream<DynamicTest> settingsThatAreNoFiniteNumbersAboveZeroAreRefused() {
    List<Parameter> all = first.parameters();
    return Stream.of(
            notPositive("learningRate", v -> () -> Sgd.builder(all).learningRate(v)),
            notPositive("learningRate", v -> () -> Adam.builder(all).learningRate(v)),
            notPositive("clipNorm", v -> () -> Sgd.builder(all).clipNorm(v)),
            notPositive("clipNorm", v -> () -> Adam.builder(all).clipNorm(v)),
            DoubleStream.of(-1e-9, 1, Double.NaN)
                .mapToObj(v -> refusal("decay " + v, ARGUMENT, () -> Adam.builder(all).weightDecay(v), "weightDecay is " + v)),
            DoubleStream.of(0, -1, 9e-16, 1e39, Double.NaN)
                .mapToObj(v -> refusal("epsilon " + v, ARGUMENT, () -> Adam.builder(all).epsilon(v), "epsilon is " + v)))
        .flatMap(tests -> tests);
  }

  private static Stream<DynamicTest> notPositive(String setting, DoubleFunction<Executable> call) {
    DoubleStream zero = setting.equals("learningRate") ? DoubleStream.empty() : DoubleStream.of(0, -0.0);
    DoubleStream others = DoubleStream.of(-1e-9, -1, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY);
    return DoubleStream.concat(zero, others)
        .mapToObj(v -> refusal(setting + " " + v, ARGUMENT, call.apply(v), setting + " is " + v, "above 0"));
  }

  @TestFactory
  Stream<DynamicTest> settingsThatAreNoFractionsAreRefused() {
    List<Parameter> all = first.parameters();
    return DoubleStream.of(-1e-9, 1, 2, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY)
        .boxed()
        .flatMap(
            v ->
                Stream.of(
                    refusal("momentum " + v, ARGUMENT, () -> Sgd.builder(all).momentum(v), "momentum is " + v),
                    refusal("beta1 " + v, ARGUMENT, () -> Adam.builder(all).betas(v, 0.9), "first is " + v, "below 1"),
                    refusal(
                        "beta2 " + v, ARGUMENT, () -> Adam.builder(all).betas(0.9, v), "second is " + v, "below 1")));
  }

  @TestFactory
  Stream<DynamicTest> nullParametersAreRefusedByName() {
    List<Parameter> withNull = Arrays.asList(first.parameters().get(0), null);
    return Stream.of(
        refusal("Sgd of null", NULL, () -> Sgd.builder(null), "parameters is null"),
        refusal("Adam of null", NULL, () -> Adam.builder(null), "parameters is null"),
        refusal("Sgd of a null element", NULL, () -> Sgd.builder(withNull).build(), "parameters[1] is null"),
        refusal("Adam of a null element", NULL, () -> Adam.builder(withNull).build(), "parameters[1] is null"));
  }

  @Test
  void builderKeepsItsSettingsWhenOneIsRefused() {
    Adam.Builder builder = Adam.builder(first.parameters());
    refused(ARGUMENT, () -> builder.betas(0.1, 1));
    refused(ARGUMENT, () -> builder.epsilon(0));
    refused(ARGUMENT, () -> builder.clipNorm(Double.NaN));
    refused(ARGUMENT, () -> builder.learningRate(-1));
    Linear twin = new Linear(2, 3, 1);
    twin.backward(input, scores).close();
    try (Adam changed = builder.build();
        Adam plain = Adam.builder(twin.parameters()).build()) {
      for (int i = 0; i < 3; i++) {
        changed.step();
        plain.step();
      }
      Expect.sameBits(content(twin.parameters()), content(first.parameters()));
    }
    twin.close();
  }

  @TestFactory
  Stream<DynamicTest> refusedLearningRateLeavesTheRateAsItWas() {
    return forEveryOptimizer(
        both(),
        make -> {
          try (Optimizer optimizer = make.get()) {
            double before = optimizer.learningRate();
            for (double rate : new double[] {-1e-9, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
              refused(ARGUMENT, () -> optimizer.learningRate(rate), "learningRate is " + rate, "above 0");
            }
            assertEquals(before, optimizer.learningRate());
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> closedOptimizerRefusesItsStepNamesItselfAndChangesNothing() {
    return forEveryOptimizer(
        both(),
        make -> {
          Optimizer optimizer = make.get();
          optimizer.close();
          optimizer.close();
          float[][] before = content(both());
          refused(STATE, optimizer::step, optimizer.getClass().getSimpleName() + " is closed");
          Expect.sameBits(before, content(both()));
        });
  }

  @TestFactory
  Stream<DynamicTest> stepWithAClosedLayerIsRefusedAndChangesNothing() {
    return forEveryOptimizer(
        both(),
        make -> {
          second.close();
          try (Optimizer optimizer = make.get()) {
            float[][] before = content(first.parameters());
            refused(STATE, optimizer::step, "the layer of parameter weight is closed");
            refused(STATE, optimizer::gradientNorm, "the layer of parameter weight is closed");
            Expect.sameBits(before, content(first.parameters()));
          }
        });
  }

  @Test
  void zeroGradientsWithAClosedLayerIsRefusedAndChangesNothing() {
    second.close();
    try (Optimizer optimizer = Sgd.builder(both()).build()) {
      float[][] before = content(first.parameters());
      refused(STATE, optimizer::zeroGradients, "the layer of parameter weight is closed");
      Expect.sameBits(before, content(first.parameters()));
    }
  }

  @TestFactory
  Stream<DynamicTest> parameterThatIsListedTwiceIsRefused() {
    Parameter weight = first.parameters().get(0);
    return forEveryOptimizer(
        List.of(weight, weight),
        make -> refused(ARGUMENT, () -> make.get().close(), "parameters[1] is weight[3, 2]", "not in the list already"));
  }

  @Test
  void listOfParametersMayBeChangedOnceTheOptimizerIsBuilt() {
    List<Parameter> list = new ArrayList<>(first.parameters());
    try (Optimizer optimizer = Adam.builder(list).build()) {
      Collections.reverse(list);
      list.set(0, null);
      float[] before = first.parameters().get(0).values();
      optimizer.step();
      assertNotEquals(Arrays.toString(before), Arrays.toString(first.parameters().get(0).values()));
      assertArrayEquals(new int[] {3, 2}, first.parameters().get(0).shape());
    }
  }

  @TestFactory
  Stream<DynamicTest> weightedLossesRefuse() {
    PackedSequence weights = PackedSequence.of(new float[][][] {{{1}}, {{2}, {3}}}, 1);
    PackedSequence wide = PackedSequence.of(new float[][][] {{{1, 1}}, {{2, 2}, {3, 3}}}, 2);
    PackedSequence turned = PackedSequence.of(new float[][][] {{{1}, {2}}, {{3}}}, 1);
    PackedSequence turnedScores = PackedSequence.of(new float[2][2][3], 3);
    PackedTokens others = PackedTokens.of(new int[][] {{0}, {1, 2}}, 4);
    SquaredError error = new SquaredError(Divisor.MEAN_OVER_STEPS);
    return Stream.of(
            refusal("wide weights", ARGUMENT, () -> loss.loss(scores, targets, wide), "features of weights is 2"),
            refusal("turned weights", ARGUMENT, () -> loss.gradient(scores, targets, turned), "layout of weights"),
            refusal("no weights", NULL, () -> loss.gradient(scores, targets, null), "weights is null"),
            refusal("vocabulary", ARGUMENT, () -> loss.loss(scores, others, weights), "features of scores is 3", "4"),
            refusal("gradient's", ARGUMENT, () -> loss.gradient(scores, others, weights), "features of scores is 3"),
            refusal("layout", ARGUMENT, () -> loss.loss(turnedScores, targets, weights), "layout of targets"),
            refusal("error's features", ARGUMENT, () -> error.loss(scores, input), "features", "2", "3"),
            refusal("error's gradient", ARGUMENT, () -> error.gradient(scores, input), "features", "2", "3"),
            refusal("error's, weighted", ARGUMENT, () -> error.loss(scores, input, weights), "features", "2", "3"),
            refusal("error's layout", ARGUMENT, () -> error.gradient(scores, turnedScores, weights), "layout"),
            refusal("error's weights", ARGUMENT, () -> error.gradient(scores, scores, wide), "features of weights is 2"))
        .onClose(() -> List.of(weights, wide, turned, turnedScores).forEach(PackedSequence::close));
  }
}
