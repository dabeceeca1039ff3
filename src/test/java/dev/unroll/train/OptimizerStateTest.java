package dev.unroll.train;

import static dev.unroll.Expect.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.Expect;
import dev.unroll.io.SafeTensors;
import dev.unroll.io.SafeTensorsException;
import dev.unroll.io.Tensor;
import dev.unroll.io.Weights;
import dev.unroll.layer.Linear;
import dev.unroll.layer.Parameter;
import dev.unroll.sequence.PackedSequence;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** What an optimiser remembers goes to a file and comes back. */
class OptimizerStateTest {
  private static final int STOP = 4;

  @TempDir Path folder;

  @TestFactory
  Stream<DynamicTest> aRunThatGoesOnHasTheBitsOfOneThatWasNeverStopped() {
    Map<String, Function<List<Parameter>, Optimizer>> optimizers =
        Map.of(
            "Adam", parameters -> Adam.builder(parameters).learningRate(0.01).clipNorm(1).build(),
            "Sgd with momentum", parameters -> Sgd.builder(parameters).momentum(0.9).build(),
            "Sgd", parameters -> Sgd.builder(parameters).build());
    return optimizers.entrySet().stream()
        .map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> goesOn(entry.getValue())));
  }

  private void goesOn(Function<List<Parameter>, Optimizer> optimizers) throws IOException {
    Path file = folder.resolve("checkpoint.safetensors");
    try (Linear whole = new Linear(5, 7, 1);
        Linear resumed = new Linear(5, 7, 2);
        Optimizer ofWhole = optimizers.apply(whole.parameters());
        Optimizer ofResumed = optimizers.apply(resumed.parameters())) {
      for (int step = 0; step < 2 * STOP; step++) {
        if (step == STOP) {
          save(file, whole, ofWhole);
          try (SafeTensors saved = SafeTensors.open(file)) {
            Weights.load(saved, "linear.", Weights.named("", resumed.parameters()));
            ofResumed.restore(saved, "optimizer.");
          }
        }
        step(whole, ofWhole, step);
        if (step >= STOP) {
          step(resumed, ofResumed, step);
          for (int i = 0; i < 2; i++) {
            float[] expected = whole.parameters().get(i).values();
            assertArrayEquals(Expect.bits(expected), Expect.bits(resumed.parameters().get(i).values()));
          }
        }
      }
    }
  }

  private static void save(Path file, Linear layer, Optimizer optimizer) throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    layer.parameters().forEach(p -> tensors.put("linear." + p.name(), Tensor.of(p)));
    optimizer.state().forEach((name, tensor) -> tensors.put("optimizer." + name, tensor));
    SafeTensors.write(file, tensors, Map.of());
  }

  private static void step(Linear layer, Optimizer optimizer, int step) {
    float[][] values = new float[3][12];
    Random random = new Random(step);
    for (float[] row : values) {
      for (int j = 0; j < row.length; j++) {
        row[j] = (float) random.nextGaussian();
      }
    }
    float[][] inputs = Stream.of(values).map(row -> Arrays.copyOf(row, 5)).toArray(float[][]::new);
    float[][] gradients = Stream.of(values).map(row -> Arrays.copyOfRange(row, 5, 12)).toArray(float[][]::new);
    try (PackedSequence input = PackedSequence.ofOne(inputs, 5);
        PackedSequence gradient = PackedSequence.ofOne(gradients, 7)) {
      layer.backward(input, gradient).close();
    }
    optimizer.step();
    optimizer.zeroGradients();
  }

  @Test
  void stepsThatWentWrongAreTakenBack() {
    try (Linear layer = new Linear(5, 7, 1);
        Adam adam = Adam.builder(layer.parameters()).build()) {
      step(layer, adam, 0);
      Map<String, Tensor> state = adam.state();
      float[] weight = layer.parameter("weight").values();
      float[] bias = layer.parameter("bias").values();
      step(layer, adam, 1);
      float[] expected = layer.parameter("weight").values();
      layer.parameter("weight").set(weight);
      layer.parameter("bias").set(bias);
      adam.restore(state);
      step(layer, adam, 1);
      assertArrayEquals(Expect.bits(expected), Expect.bits(layer.parameter("weight").values()));

      Class<IllegalArgumentException> type = IllegalArgumentException.class;
      refused(NullPointerException.class, () -> adam.restore((Map<String, Tensor>) null), "state is null");
      refused(type, () -> adam.restore(Map.of("step", state.get("step"))), "state is [step]", "0.exp_avg_sq");
      Map<String, Tensor> other = new LinkedHashMap<>(state);
      other.put("1.exp_avg", Tensor.of(new float[2], 2));
      refused(type, () -> adam.restore(other), "1.exp_avg is [2]: expected [7]");
    }
  }

  @Test
  void namesAreThoseOfPyTorchAndTheValuesCopies() {
    try (Linear layer = new Linear(2, 3, 1);
        Adam adam = Adam.builder(layer.parameters()).build();
        Sgd sgd = Sgd.builder(layer.parameters()).momentum(0.5).build()) {
      Map<String, Tensor> state = adam.state();
      assertEquals(Set.of("0.exp_avg", "0.exp_avg_sq", "1.exp_avg", "1.exp_avg_sq", "step"), state.keySet());
      assertArrayEquals(new long[] {3, 2}, state.get("0.exp_avg").shape());
      assertArrayEquals(new long[] {3}, state.get("1.exp_avg_sq").shape());
      assertEquals(Set.of("0.momentum_buffer", "1.momentum_buffer"), sgd.state().keySet());
    }
  }

  @Test
  void whatIsNoSuchStateIsRefusedAndChangesNothing() throws IOException {
    Path file = folder.resolve("other.safetensors");
    try (Linear layer = new Linear(2, 3, 1);
        Linear other = new Linear(2, 4, 1);
        Adam adam = Adam.builder(layer.parameters()).build();
        Adam ofOther = Adam.builder(other.parameters()).build();
        Sgd sgd = Sgd.builder(layer.parameters()).momentum(0.5).build()) {
      SafeTensors.write(file, ofOther.state(), Map.of());
      try (SafeTensors saved = SafeTensors.open(file)) {
        Class<SafeTensorsException> type = SafeTensorsException.class;
        refused(type, () -> adam.restore(saved, ""), "\"0.exp_avg\" expected [3, 2] found [4, 2]");
        refused(type, () -> sgd.restore(saved, ""), "missing: [\"0.momentum_buffer\"", "extra: [\"0.exp_avg\"");
        refused(type, () -> adam.restore(saved, "adam."), "missing: [\"adam.0.exp_avg\"");
        refused(NullPointerException.class, () -> adam.restore(null, ""), "file is null");
        refused(NullPointerException.class, () -> adam.restore(saved, null), "prefix is null");
        ofOther.close();
        refused(IllegalStateException.class, () -> ofOther.restore(saved, ""), "Adam is closed");
        refused(IllegalStateException.class, ofOther::state, "Adam is closed");
      }
      Map<String, Tensor> wrong = adam.state();
      for (float count : new float[] {-1, 0.5f, 1 << 24, Float.NaN, Float.POSITIVE_INFINITY}) {
        for (float[] step : new float[][] {{0, count}, {count, 0}}) {
          wrong.put("step", Tensor.of(step, 2));
          refused(IllegalArgumentException.class, () -> adam.restore(wrong), "step is " + Arrays.toString(step));
        }
      }
    }
  }

  @Test
  void manyStepsAreRememberedExactly() {
    try (Linear layer = new Linear(1, 1, 1);
        Adam adam = Adam.builder(layer.parameters()).build()) {
      Map<String, Tensor> state = new LinkedHashMap<>(adam.state());
      Tensor steps = Tensor.of(new float[] {1, 5}, 2);
      state.put("step", steps);
      adam.restore(state);
      assertArrayEquals(steps.values(), adam.state().get("step").values());
    }
  }

  @Test
  void aClosedOptimizerHasNoState() {
    try (Linear layer = new Linear(1, 1, 1)) {
      Sgd sgd = Sgd.builder(layer.parameters()).build();
      sgd.close();
      refused(IllegalStateException.class, sgd::state, "closed");
    }
  }

  @Test
  void aRateOfZeroMayBeSetLater() {
    try (Linear layer = new Linear(1, 1, 1);
        Sgd sgd = Sgd.builder(layer.parameters()).build()) {
      sgd.learningRate(0);
      assertEquals(0, sgd.learningRate());
    }
  }
}
