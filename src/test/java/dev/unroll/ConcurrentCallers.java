package dev.unroll;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.layer.Linear;
import dev.unroll.layer.RecurrentOutput;
import dev.unroll.layer.Rnn;
import dev.unroll.sequence.PackedSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;

/** A network, and Java threads that run it at once. */
@Timeout(60)
abstract class ConcurrentCallers {
  static final int CALLERS = 6;
  static final int INPUTS = 40;
  static final int UNITS = 48; // matrix products are then large enough to be shared among threads

  private final int threadsBefore = Unroll.threads();
  final ExecutorService executor = Executors.newCachedThreadPool();

  @AfterEach
  final void restore() throws InterruptedException {
    executor.shutdownNow();
    assertTrue(executor.awaitTermination(30, TimeUnit.SECONDS));
    Unroll.threads(threadsBefore);
  }

  static Rnn rnn() {
    return rnn(UNITS);
  }

  static Rnn rnn(int units) {
    return Rnn.builder(INPUTS, units).layers(2).bidirectional(true).seed(7).build();
  }

  static float[][] sequences() {
    Random random = new Random(11);
    float[][] sequences = new float[16][];
    for (int i = 0; i < sequences.length; i++) {
      sequences[i] = new float[(i * 5 % 17) * INPUTS];
      for (int j = 0; j < sequences[i].length; j++) {
        sequences[i][j] = random.nextFloat() * 2 - 1;
      }
    }
    return sequences;
  }

  /** One step, for which weights that are not packed yet are read as they are. */
  static float[][] singleStep() {
    return new float[][] {Arrays.copyOf(sequences()[1], INPUTS)};
  }

  static float[][] forward(Rnn rnn, Linear linear, PackedSequence input) {
    try (RecurrentOutput output = rnn.forward(input);
        PackedSequence scores = linear.forward(output.outputs())) {
      List<float[]> all = new ArrayList<>(List.of(scores.toFlatArrays()));
      for (float[][] entry : output.finalState().hidden()) {
        all.addAll(List.of(entry));
      }
      return all.toArray(float[][]::new);
    }
  }

  static float[][] singleThreaded() {
    return singleThreaded(UNITS);
  }

  static float[][] singleThreaded(int units) {
    return singleThreaded(units, sequences());
  }

  static float[][] singleThreaded(int units, float[][] sequences) {
    int threads = Unroll.threads();
    Unroll.threads(1);
    try (Rnn rnn = rnn(units);
        Linear linear = new Linear(2 * units, 64, 3);
        PackedSequence input = PackedSequence.ofFlat(sequences, INPUTS)) {
      return forward(rnn, linear, input);
    } finally {
      Unroll.threads(threads);
    }
  }

  /** Runs a task on several threads that start together; the first failure fails the test. */
  final void onAllCallers(Callable<Void> task) throws Exception {
    CyclicBarrier start = new CyclicBarrier(CALLERS);
    List<Future<Void>> futures = new ArrayList<>();
    for (int i = 0; i < CALLERS; i++) {
      futures.add(
          executor.submit(
              () -> {
                start.await(30, TimeUnit.SECONDS);
                return task.call();
              }));
    }
    for (Future<Void> future : futures) {
      future.get(30, TimeUnit.SECONDS);
    }
  }

  static float[][][] nested() {
    try (PackedSequence batch = PackedSequence.ofFlat(sequences(), INPUTS)) {
      return batch.toArrays();
    }
  }
}
