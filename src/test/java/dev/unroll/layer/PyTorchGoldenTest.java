package dev.unroll.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.peers.Difference;
import dev.unroll.peers.GoldenText;
import dev.unroll.peers.RecurrentShape.Cell;
import dev.unroll.peers.UnrollRecurrent;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Outputs, final states and gradients equal what PyTorch gave for the same weights and inputs; its numbers are in a
 * file that {@code GoldenFile} in {@code src/peers} made and that names PyTorch's version.
 */
class PyTorchGoldenTest {
  /**
   * Of the largest element of a tensor: both sides round to float (6e-8) in sums of up to 20 terms, one after the other
   * through up to 9 steps or 2 layers. The largest difference seen is 4.4e-7, on every instruction set of ours:
   * their bits are the same.
   */
  private static final double TOLERANCE = 1e-5;

  static List<GoldenText.Answered> cases() {
    return GoldenText.read(
        new InputStreamReader(
            Objects.requireNonNull(PyTorchGoldenTest.class.getResourceAsStream("/dev/unroll/golden/pytorch.txt")),
            StandardCharsets.UTF_8));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void equalsPyTorch(GoldenText.Answered answered) {
    Map<String, float[]> actual = UnrollRecurrent.run(answered.problem());
    assertEquals(answered.expected().keySet(), actual.keySet());
    answered.expected().forEach((name, expected) -> {
      Difference difference = Difference.of(name, actual.get(name), expected);
      assertTrue(difference.relative() <= TOLERANCE, difference::toString);
    });
  }

  @Test
  void fileHasEveryCellOfPyTorch() {
    Set<Cell> cells = cases().stream().map(answered -> answered.problem().shape().cell()).collect(Collectors.toSet());
    assertEquals(EnumSet.of(Cell.RNN_TANH, Cell.RNN_RELU, Cell.LSTM, Cell.LSTM_PROJECTED, Cell.GRU), cells);
  }
}
