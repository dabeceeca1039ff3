package dev.unroll.sequence;

import dev.unroll.internal.Checks;
import dev.unroll.internal.StepPlaces;
import java.nio.IntBuffer;
import java.util.Arrays;

/** Takes {@link PackedTokens} apart; its methods are those of that class. */
final class TokenUnpacker {
  private final PackedTokens batch;
  private final SequenceLayout layout;

  TokenUnpacker(PackedTokens batch) {
    this.batch = batch;
    layout = batch.layout();
  }

  /** Takes the token of a step. */
  private interface Taker {
    void take(int sequence, int step, int token);
  }

  private void forEachStep(int[] packed, Taker taker) {
    for (int b = 0; b < layout.sequences(); b++) {
      for (int t = 0; t < layout.length(b); t++) {
        taker.take(b, t, packed[layout.packed().row(b, t)]);
      }
    }
  }

  int[][] nested() {
    int[][] sequences = new int[layout.sequences()][];
    Arrays.setAll(sequences, b -> new int[layout.length(b)]);
    forEachStep(batch.rows(), (b, t, token) -> sequences[b][t] = token);
    return sequences;
  }

  int[][] padded(PaddedOrder order, int totalSteps, int padding) {
    layout.checkTotalSteps(order, totalSteps);
    int[] packed = batch.rows();
    int sequences = layout.sequences();
    int[][] padded = new int[order.outer(sequences, totalSteps)][order.inner(sequences, totalSteps)];
    for (int[] row : padded) {
      Arrays.fill(row, padding);
    }
    forEachStep(
        packed,
        (b, t, token) -> {
          int step = order.start(totalSteps, layout.length(b)) + t;
          padded[order.outer(b, step)][order.inner(b, step)] = token;
        });
    return padded;
  }

  void padded(IntBuffer to, PaddedOrder order, int totalSteps, int padding) {
    IntBuffer own = writable(to);
    layout.checkTotalSteps(order, totalSteps);
    PaddedOrder.checkSize("to", own.remaining(), layout.sequences(), totalSteps, 1);
    int[] packed = batch.rows();
    for (int i = 0; i < own.remaining(); i++) {
      own.put(i, padding);
    }
    put(packed, order.places(layout.lengths(), totalSteps, 1), own);
  }

  void concatenated(IntBuffer to) {
    IntBuffer own = writable(to);
    StepPlaces places = Concatenation.checked("to", own.remaining(), layout.lengths(), 1);
    put(batch.rows(), places, own);
  }

  private static IntBuffer writable(IntBuffer to) {
    boolean readOnly = Checks.notNull("to", to).isReadOnly();
    Checks.require(!readOnly, "to", "a read-only buffer", "one that can be written");
    return to.slice();
  }

  private void put(int[] packed, StepPlaces places, IntBuffer to) {
    forEachStep(packed, (b, t, token) -> to.put(places.index(b, t), token));
  }
}
