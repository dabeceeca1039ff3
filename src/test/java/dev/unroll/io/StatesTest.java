package dev.unroll.io;

import static dev.unroll.Expect.refused;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.unroll.Expect;
import dev.unroll.layer.Gru;
import dev.unroll.layer.Lstm;
import dev.unroll.layer.RecurrentSession;
import dev.unroll.layer.State;
import dev.unroll.sequence.PackedSequence;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** States go on from files. */
class StatesTest {
  private static final int HIDDEN = 5;

  @TempDir Path folder;

  @Test
  void aStreamGoesOnAfterARestartWithTheBitsOfOneThatNeverStopped() throws IOException {
    Path file = folder.resolve("state.safetensors");
    try (Lstm lstm = Lstm.builder(2, 7).layers(2).projectionSize(HIDDEN).seed(1).build();
        RecurrentSession session = lstm.session(3)) {
      float[] input = {1, 2, 3, 4, 5, 6};
      float[] output = new float[3 * HIDDEN];
      session.step(input, output);
      try (State state = session.state()) {
        Map<String, Tensor> all = new LinkedHashMap<>();
        States.tensors(state).forEach((name, tensor) -> all.put("stream." + name, tensor));
        all.put("other", Tensor.of(new float[1], 1));
        SafeTensors.write(file, all, Map.of());
      }
      session.step(input, output);
      float[] again = new float[3 * HIDDEN];
      try (SafeTensors saved = SafeTensors.open(file);
          State state = States.read(saved, "stream.");
          RecurrentSession other = lstm.session(3)) {
        other.restore(state);
        other.step(input, again);
      }
      Expect.sameBits(new float[][] {output}, new float[][] {again});
    }
  }

  @Test
  void statesWithoutCellsHaveHiddenValuesAlone() throws IOException {
    Path file = folder.resolve("gru.safetensors");
    float[][][] hidden = {{{1, Float.NaN}, {-0.0f, 4}, {5, 6}}, {{7, 8}, {9, 10}, {11, 12}}};
    try (State state = State.of(hidden)) {
      SafeTensors.write(file, States.tensors(state), Map.of());
    }
    try (SafeTensors saved = SafeTensors.open(file);
        State state = States.read(saved, "")) {
      assertFalse(state.hasCells());
      Expect.sameBits(hidden, state.hidden());
    }
  }

  @Test
  void whatIsNoStateIsRefused() throws IOException {
    Path file = folder.resolve("wrong.safetensors");
    Map<String, Tensor> all = new LinkedHashMap<>();
    all.put("flat.hidden", Tensor.of(new float[6], 2, 3));
    all.put("empty.hidden", Tensor.of(new float[0], 1, 0, 3));
    all.put("odd.hidden", Tensor.of(new float[6], 1, 2, 3));
    all.put("odd.cells", Tensor.of(new float[6], 1, 3, 2));
    SafeTensors.write(file, all, Map.of());
    try (SafeTensors saved = SafeTensors.open(file)) {
      Class<SafeTensorsException> malformed = SafeTensorsException.class;
      refused(malformed, () -> States.read(saved, "flat."), "\"flat.hidden\" is [2, 3]: expected three dimensions above 0");
      refused(malformed, () -> States.read(saved, "empty."), "\"empty.hidden\" is [1, 0, 3]");
      refused(malformed, () -> States.read(saved, "odd."), "\"odd.cells\" is [1, 3, 2]", "as many", "[1, 2, 3]");
      refused(IllegalArgumentException.class, () -> States.read(saved, "no."), "\"no.hidden\"");
      refused(NullPointerException.class, () -> States.read(saved, null), "prefix is null");
      refused(NullPointerException.class, () -> States.read(null, ""), "file is null");
    }
    refused(NullPointerException.class, () -> States.tensors(null), "state is null");
    try (Gru gru = Gru.builder(1, 2).build();
        PackedSequence nothing = PackedSequence.of(new float[0][][], 1);
        State empty = gru.forward(nothing).takeFinalState()) {
      refused(IllegalArgumentException.class, () -> States.tensors(empty), "sequences of state is 0");
    }
  }
}
