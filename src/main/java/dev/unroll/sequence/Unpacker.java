package dev.unroll.sequence;

import dev.unroll.internal.Checks;
import dev.unroll.internal.Floats;
import dev.unroll.internal.Lease;
import dev.unroll.internal.RowMover;
import dev.unroll.internal.StepPlaces;
import java.util.function.IntFunction;

/** Takes a {@link PackedSequence} apart; its methods are those of that class. */
final class Unpacker {
  private final PackedSequence batch;
  private final SequenceLayout layout;
  private final int features;

  Unpacker(PackedSequence batch) {
    this.batch = batch;
    layout = batch.layout();
    features = batch.features();
  }

  /** New arrays are made just before they are written, for Java clears them, which takes them to a cache. */
  float[][][] nested() {
    float[][][] sequences = new float[layout.sequences()][][];
    for (int b = 0; b < sequences.length; b++) {
      sequences[b] = new float[layout.length(b)][];
    }
    unpack(
        (b, first, steps, rows) -> {
          float[][] sequence = sequences[b];
          for (int t = first; t < first + steps; t++) {
            if (sequence[t] == null) {
              sequence[t] = new float[features];
            }
            rows.get(t, sequence[t], 0);
          }
        });
    return sequences;
  }

  void nested(float[][][] to) {
    float[][][] sequences = Checks.notNull("to", to).clone();
    Checks.equal("number of sequences of to", sequences.length, layout.sequences());
    for (int b = 0; b < sequences.length; b++) {
      if (sequences[b] == null || sequences[b].length != layout.length(b)) {
        String name = "to[" + b + "]";
        Checks.equal("number of steps of " + name, Checks.notNull(name, sequences[b]).length, layout.length(b));
      }
    }
    Packer.StepName name = (b, t) -> "to[" + b + "][" + t + "]";
    Packer.checkSteps(sequences, layout, features, name);
    unpack(
        (b, first, steps, rows) -> {
          float[][] sequence = sequences[b];
          for (int t = first; t < first + steps; t++) {
            float[] values = sequence[t];
            Packer.checkStep(values, features, b, t, name); // for another thread may have put a shorter one there
            rows.get(t, values, 0);
          }
        });
  }

  private void unpack(RowMover.Place place) {
    try (Lease lease = new Lease()) {
      RowMover.unpack(layout.packed(), features, batch.address(lease), place);
    }
  }

  /** New arrays are made as in {@link #nested()}. */
  float[][] flat() {
    float[][] sequences = new float[layout.sequences()][0];
    for (int b = 0; b < sequences.length; b++) {
      Checks.require(flatSize(b) <= Integer.MAX_VALUE, "size of sequence " + b, flatSize(b), "at most 2^31 - 1 values");
    }
    unpack(
        b -> {
          if (sequences[b].length == 0) {
            sequences[b] = new float[(int) flatSize(b)];
          }
          return sequences[b];
        });
    return sequences;
  }

  void flat(float[][] to) {
    float[][] sequences = Checks.notNull("to", to).clone();
    Checks.equal("number of sequences of to", sequences.length, layout.sequences());
    for (int b = 0; b < sequences.length; b++) {
      if (sequences[b] == null || sequences[b].length != flatSize(b)) {
        String name = "to[" + b + "]";
        Checks.equal("size of " + name, Checks.notNull(name, sequences[b]).length, flatSize(b));
      }
    }
    unpack(b -> sequences[b]);
  }

  private long flatSize(int sequence) {
    return Math.multiplyFull(layout.length(sequence), features);
  }

  private void unpack(IntFunction<float[]> sequences) {
    try (Lease lease = new Lease()) {
      layout.packed().cells(features).unpack(batch.address(lease), sequences);
    }
  }

  void padded(Floats to, PaddedOrder order, int totalSteps, float padding) {
    layout.checkTotalSteps(order, totalSteps);
    PaddedOrder.checkSize("to", to.size(), layout.sequences(), totalSteps, features);
    unpack(to, order.places(layout.lengths(), totalSteps, features), padding);
  }

  void concatenated(Floats to) {
    unpack(to, Concatenation.checked("to", to.size(), layout.lengths(), features), 0);
  }

  private void unpack(Floats to, StepPlaces places, float padding) {
    try (Lease lease = new Lease()) {
      to.unpack(layout.packed(), places, features, batch.address(lease), padding);
    }
  }
}
