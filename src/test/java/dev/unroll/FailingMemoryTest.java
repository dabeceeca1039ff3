package dev.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.internal.MemorySource;
import dev.unroll.layer.Activation;
import dev.unroll.layer.Dropout;
import dev.unroll.layer.Embedding;
import dev.unroll.layer.Linear;
import dev.unroll.layer.Lstm;
import dev.unroll.layer.Pooling;
import dev.unroll.layer.RecurrentOutput;
import dev.unroll.layer.Softmax;
import dev.unroll.layer.State;
import dev.unroll.sequence.Features;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import dev.unroll.sequence.SequenceLayout;
import dev.unroll.sequence.StepSelection;
import dev.unroll.sequence.TokenVectors;
import dev.unroll.train.AbsoluteError;
import dev.unroll.train.CrossEntropy;
import dev.unroll.train.Divisor;
import dev.unroll.train.SquaredError;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Whichever block of memory cannot be had, what the call took before is given back. */
class FailingMemoryTest {
  private static final SequenceLayout LAYOUT = SequenceLayout.of(3, 1, 3);

  /** Memory of the system, whose takes fail after some. */
  private static final class Failing implements MemorySource {
    int left = Integer.MAX_VALUE;
    long live;
    Throwable failure;

    @Override
    public long take(long bytes) {
      if (left-- == 0) {
        Failing.<RuntimeException>sneak(failure);
      }
      live += bytes;
      return SYSTEM.take(bytes);
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> void sneak(Throwable failure) throws T {
      throw (T) failure;
    }

    @Override
    public void giveBack(long address, long bytes) {
      live -= bytes;
      SYSTEM.giveBack(address, bytes);
    }
  }

  private final Failing memory = new Failing();
  private final PackedSequence input = PackedSequence.allocate(memory, LAYOUT, 4);
  private final PackedSequence outputs = PackedSequence.allocate(memory, LAYOUT, 4);
  private final PackedTokens tokens = PackedTokens.ofLargest(input);
  private final StepSelection some = StepSelection.of(new boolean[][] {{true, false, true}, {true}, {false, true, true}});
  private final Lstm lstm = Lstm.builder(4, 2).layers(2).bidirectional(true).dropout(0.5).build();
  private final Linear linear = new Linear(4, 4, 1);
  private final Embedding embedding = new Embedding(4, 4, 1);
  private final Softmax softmax = new Softmax();
  private final CrossEntropy crossEntropy = new CrossEntropy(Divisor.MEAN_OVER_STEPS);
  private final CrossEntropy weighted = new CrossEntropy(Divisor.MEAN_OVER_WEIGHTS);
  private final PackedSequence weights = tokens.lookUp(new float[] {1, 2, 3, 4});
  private final SquaredError squaredError = new SquaredError(Divisor.MEAN_OVER_STEPS);
  private final AbsoluteError absoluteError = new AbsoluteError(Divisor.MEAN_OVER_WEIGHTS);
  private final PackedSequence single = PackedSequence.allocate(memory, SequenceLayout.of(1, 1, 1), 2);

  private Map<String, Callable<? extends AutoCloseable>> calls() {
    Map<String, Callable<? extends AutoCloseable>> calls = new LinkedHashMap<>();
    calls.put("forward", () -> lstm.forward(input));
    calls.put("infer", () -> lstm.infer(input, null));
    calls.put("training", () -> lstm.forwardTraining(input, null, 1));
    calls.put(
        "backward",
        () -> {
          try (RecurrentOutput output = lstm.forward(input)) {
            return lstm.backward(output, outputs, output.finalState());
          }
        });
    calls.put(
        "last",
        () -> {
          try (RecurrentOutput output = lstm.forward(input)) {
            return output.last();
          }
        });
    calls.put(
        "backward from last",
        () -> {
          try (RecurrentOutput output = lstm.forward(input);
              PackedSequence last = output.last()) {
            return lstm.backwardFromLast(output, outputs, last, output.finalState());
          }
        });
    calls.put("state of entries", () -> State.ofEntries(List.of(single, single), List.of(single, single)));
    calls.put("linear", () -> linear.forward(input));
    calls.put("linear backward", () -> linear.backward(input, outputs));
    calls.put("embedding", () -> embedding.forward(tokens));
    calls.put("embedding backward", () -> nothing(() -> embedding.backward(tokens, outputs)));
    calls.put("vectors of tokens", () -> TokenVectors.of(tokens, embedding::forward));
    calls.put(
        "backward of tokens",
        () -> {
          try (TokenVectors vectors = TokenVectors.of(tokens, embedding::forward);
              RecurrentOutput output = lstm.forward(vectors)) {
            return lstm.backward(output, outputs, null);
          }
        });
    calls.put("softmax", () -> softmax.forward(input));
    calls.put("log-softmax", () -> softmax.logForward(input));
    calls.put("softmax backward", () -> softmax.backward(input, outputs));
    calls.put("cross-entropy", () -> crossEntropy.gradient(input, tokens));
    calls.put("cross-entropy of each step", () -> new CrossEntropy(Divisor.SUM_OVER_STEPS).ofEachStep(input, tokens));
    calls.put("weighted cross-entropy", () -> weighted.gradient(input, tokens, weights));
    calls.put("look up", () -> tokens.lookUp(new float[4]));
    calls.put("squared error", () -> squaredError.gradient(input, outputs));
    calls.put("error of weighted elements", () -> absoluteError.gradient(input, outputs, outputs));
    calls.put("error of each step", () -> absoluteError.ofEachStep(input, outputs));
    calls.put("tanh", () -> Activation.TANH.forward(input));
    calls.put("pooling", () -> Pooling.MEAN.forward(input));
    calls.put(
        "pooling backward",
        () -> {
          try (PackedSequence pooled = Pooling.MAX.forward(input)) {
            return Pooling.MAX.backward(input, pooled, pooled);
          }
        });
    calls.put("dropout", () -> new Dropout(0.5, 1).forwardTraining(input, 1));
    calls.put("concatenate", () -> Features.concatenate(input, outputs));
    calls.put("slice", () -> Features.slice(input, 1, 3));
    calls.put("sum", () -> Features.sum(input, outputs));
    calls.put("scale", () -> Features.scale(input, 2));
    calls.put("product", () -> Features.product(input, outputs));
    calls.put("repeat", () -> Features.repeat(single, LAYOUT));
    calls.put("reversed", input::reversed);
    calls.put("join", () -> PackedSequence.join(List.of(input, outputs)));
    calls.put("join tokens", () -> PackedTokens.join(List.of(tokens, tokens)));
    calls.put("select", () -> some.select(input));
    calls.put("select tokens", () -> some.select(tokens));
    calls.put("largest", () -> PackedTokens.ofLargest(input));
    return calls;
  }

  private static AutoCloseable nothing(Runnable call) {
    call.run();
    return () -> {};
  }

  @TestFactory
  Stream<DynamicTest> whatWasTakenIsGivenBack() {
    return calls().entrySet().stream().map(e -> DynamicTest.dynamicTest(e.getKey(), () -> check(e.getValue())));
  }

  private void check(Callable<? extends AutoCloseable> call) throws Exception {
    int failures = failuresOf(call, new IllegalStateException("closed"));
    assertTrue(failures > 0);
    assertEquals(failures, failuresOf(call, new OutOfMemoryError("none left")));
  }

  /** How many takes a call has: each fails once. */
  private int failuresOf(Callable<? extends AutoCloseable> call, Throwable failure) throws Exception {
    long before = memory.live;
    for (int takes = 0; ; takes++) {
      memory.left = takes;
      memory.failure = failure;
      try {
        call.call().close();
        return takes;
      } catch (IllegalStateException | OutOfMemoryError thrown) {
        assertSame(failure, thrown);
      } finally {
        memory.left = Integer.MAX_VALUE;
      }
      assertEquals(before, memory.live, "bytes live after take " + takes + " failed");
    }
  }
}
