package dev.unroll;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.layer.Linear;
import dev.unroll.layer.Rnn;
import dev.unroll.model.LanguageModel;
import dev.unroll.sequence.PackedSequence;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Many Java threads at once get the same bits, whatever the pool. */
class ConcurrencyTest extends ConcurrentCallers {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7})
  void manyCallersOfOneLayerGetTheBitsOfTheSingleThreadedRun(int threads) throws Exception {
    float[][] expected = singleThreaded();
    Unroll.threads(threads);
    for (int round = 0; round < 2; round++) {
      // A new layer each time: all callers find its weights not yet packed.
      try (Rnn rnn = rnn();
          Linear linear = new Linear(2 * UNITS, 64, 3);
          PackedSequence input = PackedSequence.ofFlat(sequences(), INPUTS)) {
        onAllCallers(
            () -> {
              for (int i = 0; i < 2; i++) {
                Expect.sameBits(expected, forward(rnn, linear, input));
              }
              return null;
            });
      }
    }
    assertEquals(threads, Unroll.threads());
  }

  @Test
  void manyCallersOfASingleStepGetTheSameBits() throws Exception {
    float[][] expected = singleThreaded(UNITS, singleStep());
    Unroll.threads(2);
    for (int round = 0; round < 50; round++) {
      // Of a new layer the first caller reads the weights as they are, while the second packs them.
      try (Rnn rnn = rnn();
          Linear linear = new Linear(2 * UNITS, 64, 3);
          PackedSequence input = PackedSequence.ofFlat(singleStep(), INPUTS)) {
        onAllCallers(
            () -> {
              Expect.sameBits(expected, forward(rnn, linear, input));
              return null;
            });
      }
    }
  }

  @Test
  void callersThatShareAWorkspaceGetTheBitsOfTheSingleThreadedRun() throws Exception {
    float[][] expected = singleThreaded();
    Unroll.threads(3);
    try (Workspace workspace = new Workspace();
        Rnn rnn = rnn();
        Linear linear = new Linear(2 * UNITS, 64, 3)) {
      onAllCallers(
          () -> {
            for (int i = 0; i < 4; i++) {
              try (PackedSequence input = PackedSequence.of(workspace, nested(), INPUTS)) {
                Expect.sameBits(expected, forward(rnn, linear, input));
              }
            }
            return null;
          });
    }
  }

  @Test
  void poolMayBeResizedWhileOthersCompute() throws Exception {
    float[][] expected = singleThreaded();
    AtomicInteger running = new AtomicInteger(CALLERS);
    try (Rnn rnn = rnn();
        Linear linear = new Linear(2 * UNITS, 64, 3);
        PackedSequence input = PackedSequence.ofFlat(sequences(), INPUTS)) {
      Future<Integer> resizer =
          executor.submit(
              () -> {
                int changes = 0;
                for (; running.get() > 0 && changes < 100_000; changes++) {
                  Unroll.threads(1 + changes * 3 % 7);
                }
                return changes;
              });
      onAllCallers(
          () -> {
            try {
              for (int i = 0; i < 8; i++) {
                Expect.sameBits(expected, forward(rnn, linear, input));
              }
              return null;
            } finally {
              running.decrementAndGet();
            }
          });
      assertTrue(resizer.get(30, TimeUnit.SECONDS) > 0);
    }
  }

  @Test
  void manyThreadsMaySetThePoolSizeAtOnce() throws Exception {
    onAllCallers(
        () -> {
          for (int i = 1; i <= 30; i++) {
            Unroll.threads(1 + i % 4);
          }
          return null;
        });
    assertTrue(Unroll.threads() >= 1 && Unroll.threads() <= 4);
  }

  @Test
  void sessionsOfOneModelOnManyThreadsGenerateTheSameText() throws Exception {
    try (LanguageModel model = LanguageModel.builder(9).embeddingSize(5).hiddenSize(12).layers(2).build()) {
      int[] prime = {1, 2, 3};
      int[] expected = model.generate(prime, 40, 0.8, 5);
      double loss = model.evaluate(expected);
      onAllCallers(
          () -> {
            assertArrayEquals(expected, model.generate(prime, 40, 0.8, 5));
            assertEquals(loss, model.evaluate(expected));
            return null;
          });
    }
  }
}
