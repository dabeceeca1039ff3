package dev.unroll;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.layer.Layer;
import dev.unroll.layer.Linear;
import dev.unroll.layer.RecurrentOutput;
import dev.unroll.layer.Rnn;
import dev.unroll.sequence.PackedSequence;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Closing what other threads compute with: correct results or a refusal, never a crash. */
class ConcurrentCloseTest extends ConcurrentCallers {
  private static final int FEW_UNITS = 4;

  /** What is closed while the others compute. */
  private enum Victim {
    RECURRENT,
    LINEAR,
    INPUT,
    OUTPUT,
    WORKSPACE
  }

  @ParameterizedTest
  @EnumSource(Victim.class)
  void closingUnderTheHandsOfOthersGivesCorrectResultsOrIsRefused(Victim victim) throws Exception {
    float[][] few = singleThreaded(FEW_UNITS);
    float[][] many = singleThreaded(UNITS);
    Unroll.threads(2);
    for (int round = 0; round < 16; round++) {
      boolean large = round % 4 == 0;
      closeWhileOthersCompute(victim, large ? UNITS : FEW_UNITS, large ? many : few);
    }
  }

  /** The first caller reads the weights as they are. */
  @ParameterizedTest
  @EnumSource(
      value = Victim.class,
      names = {"RECURRENT", "LINEAR"})
  void closingUnderTheHandsOfASingleStep(Victim victim) throws Exception {
    float[][] expected = singleThreaded(UNITS, singleStep());
    Unroll.threads(2);
    for (int round = 0; round < 50; round++) {
      AtomicBoolean running = new AtomicBoolean();
      try (Rnn rnn = rnn();
          Linear linear = new Linear(2 * UNITS, 64, 3);
          PackedSequence input = PackedSequence.ofFlat(singleStep(), INPUTS)) {
        Future<Void> closer =
            executor.submit(
                () -> {
                  while (!running.get()) {
                    Thread.onSpinWait();
                  }
                  (victim == Victim.LINEAR ? linear : rnn).close();
                  return null;
                });
        onAllCallers(
            () -> {
              running.set(true);
              try {
                Expect.sameBits(expected, forward(rnn, linear, input));
              } catch (IllegalStateException e) {
                assertTrue(e.getMessage().contains("is closed"), e.getMessage());
              }
              return null;
            });
        closer.get(30, TimeUnit.SECONDS);
      }
    }
  }

  private void closeWhileOthersCompute(Victim victim, int units, float[][] expected) throws Exception {
    CountDownLatch computing = new CountDownLatch(CALLERS / 2);
    try (Workspace workspace = new Workspace();
        Rnn rnn = rnn(units);
        Linear linear = new Linear(2 * units, 64, 3);
        PackedSequence input = PackedSequence.of(workspace, nested(), INPUTS);
        RecurrentOutput shared = rnn.forward(input)) {
      float[][] outputs = shared.outputs().toFlatArrays();
      AutoCloseable target =
          switch (victim) {
            case RECURRENT -> rnn;
            case LINEAR -> linear;
            case INPUT -> input;
            case OUTPUT -> shared;
            case WORKSPACE -> workspace;
          };
      Callable<Void> work =
          () -> {
            Expect.sameBits(expected, forward(rnn, linear, input));
            Expect.sameBits(outputs, shared.outputs().toFlatArrays());
            return null;
          };
      Future<Void> closer = executor.submit(() -> close(target, computing, workspace));
      onAllCallers(
          () -> {
            try {
              for (int i = 0; i < 3; i++) {
                computing.countDown();
                work.call();
              }
            } catch (IllegalStateException e) {
              assertTrue(e.getMessage().contains("is closed"), e.getMessage());
            }
            return null;
          });
      closer.get(30, TimeUnit.SECONDS);
      Expect.refused(IllegalStateException.class, work::call, "is closed");
    }
  }

  /** Closes something as soon as others compute with it, and writes NaN into the memory that this sets free. */
  private static Void close(AutoCloseable target, CountDownLatch computing, Workspace workspace) throws Exception {
    float[][][] nan = nested();
    for (float[][] sequence : nan) {
      for (float[] step : sequence) {
        Arrays.fill(step, Float.NaN);
      }
    }
    assertTrue(computing.await(30, TimeUnit.SECONDS));
    target.close();
    if (target != workspace) {
      try (PackedSequence first = PackedSequence.of(workspace, nan, INPUTS);
          PackedSequence second = PackedSequence.of(workspace, nan, INPUTS)) {
        Expect.sameBits(first.toFlatArrays(), second.toFlatArrays());
      }
    }
    return null;
  }

  @Test
  void layerClosedByManyThreadsAtOnceIsFreedOnce() throws Exception {
    for (int round = 0; round < 20; round++) {
      long before = Unroll.liveBytes();
      List<Layer> layers = List.of(Rnn.builder(2, 3).build(), new Linear(2, 3, 0));
      onAllCallers(
          () -> {
            layers.forEach(Layer::close);
            return null;
          });
      assertTrue(Unroll.liveBytes() <= before); // less if something that another test left open was collected
    }
  }
}
