package dev.unroll.sequence;

import dev.unroll.internal.Checks;
import dev.unroll.internal.Floats;
import dev.unroll.internal.Lease;
import dev.unroll.internal.MemorySource;
import dev.unroll.internal.RowMover;
import dev.unroll.internal.StepPlaces;
import java.nio.FloatBuffer;

/** Makes {@link PackedSequence}s of what callers hold; its methods are those of that class. */
final class Packer {
  private final MemorySource source;
  private final int features;

  Packer(MemorySource source, int features) {
    this.source = source;
    this.features = features;
  }

  PackedSequence nested(float[][][] given) {
    // A copy, so that no other thread can put a shorter array in the place of one whose size was read.
    float[][][] sequences = Checks.notNull("sequences", given).clone();
    checkFeatures();
    int[] lengths = new int[sequences.length];
    for (int b = 0; b < sequences.length; b++) {
      lengths[b] = Checks.notNull("sequences[" + b + "]", sequences[b]).length;
    }
    return ofSteps(sequences, SequenceLayout.of(lengths), (b, t) -> "sequences[" + b + "][" + t + "]");
  }

  PackedSequence padded(float[][][] given, int[] givenLengths, PaddedOrder order) {
    Checks.notNull("order", order);
    float[][][] padded = Checks.notNull("padded", given).clone();
    int[] lengths = Checks.notNull("lengths", givenLengths).clone();
    checkFeatures();
    int[] starts = order.checkNested(padded, lengths);
    StepName name = (b, t) -> "padded" + order.indices(b, starts[b] + t);
    return ofSteps(order.unpad(padded, starts, lengths), SequenceLayout.of(lengths), name);
  }

  /** How messages name a step of a sequence. */
  interface StepName {
    String of(int sequence, int step);
  }

  /** Checks that all steps have so many values. */
  static void checkSteps(float[][][] sequences, SequenceLayout layout, int features, StepName name) {
    for (int b = 0; b < sequences.length; b++) {
      for (int t = 0; t < layout.length(b); t++) {
        checkStep(sequences[b][t], features, b, t, name);
      }
    }
  }

  static void checkStep(float[] values, int features, int sequence, int step, StepName name) {
    if (values == null || values.length != features) {
      String named = name.of(sequence, step);
      Checks.equal("number of values in " + named, Checks.notNull(named, values).length, features);
    }
  }

  /** Reads every step once, so that what is checked is what is packed; messages name the first that is wrong. */
  private PackedSequence ofSteps(float[][][] sequences, SequenceLayout layout, StepName name) {
    RowMover.Place place =
        (b, first, steps, rows) -> {
          float[][] sequence = sequences[b];
          for (int t = first; t < first + steps; t++) {
            float[] values = sequence[t];
            if (values == null || values.length != features) {
              checkSteps(sequences, layout, features, name);
              checkStep(values, features, b, t, name);
            }
            rows.put(t, values, 0);
          }
        };
    return fill(layout, packed -> RowMover.pack(layout.packed(), features, packed, place));
  }

  PackedSequence flat(float[][] given) {
    // A copy, so that no other thread can put a shorter array in the place of one whose size was read.
    float[][] sequences = Checks.notNull("sequences", given).clone();
    checkFeatures();
    int[] lengths = new int[sequences.length];
    for (int b = 0; b < lengths.length; b++) {
      String name = "sequences[" + b + "]";
      int size = Checks.notNull(name, sequences[b]).length;
      Checks.require(size % features == 0, "size of " + name, size, "a multiple of features = " + features);
      lengths[b] = size / features;
    }
    SequenceLayout layout = SequenceLayout.of(lengths);
    return fill(layout, packed -> layout.packed().cells(features).pack(sequences, packed));
  }

  PackedSequence padded(Floats padded, int[] givenLengths, PaddedOrder order) {
    Checks.notNull("order", order);
    int[] lengths = Checks.notNull("lengths", givenLengths).clone();
    checkFeatures();
    return fill(padded, lengths, order.checkFlat(padded.size(), lengths, features));
  }

  PackedSequence concatenated(FloatBuffer given, int[] givenLengths) {
    Floats values = Floats.of(Checks.notNull("values", given));
    int[] lengths = Checks.notNull("lengths", givenLengths).clone();
    checkFeatures();
    return fill(values, lengths, Concatenation.checked("values", values.size(), lengths, features));
  }

  private PackedSequence fill(Floats values, int[] lengths, StepPlaces places) {
    SequenceLayout layout = SequenceLayout.of(lengths);
    return fill(layout, packed -> values.pack(layout.packed(), places, features, packed));
  }

  PackedSequence packed(FloatBuffer rows, SequenceLayout layout) {
    Floats floats = Floats.of(Checks.notNull("rows", rows));
    checkRows(floats.size(), layout);
    return fill(layout, floats::copyTo);
  }

  PackedSequence wrap(FloatBuffer rows, SequenceLayout layout) {
    FloatBuffer own = Checks.notNull("rows", rows).duplicate();
    checkRows(own.remaining(), layout);
    return PackedSequence.view(layout, features, Floats.borrow("rows", own, source, "PackedSequence"), 0);
  }

  private void checkRows(int size, SequenceLayout layout) {
    Checks.notNull("layout", layout);
    checkFeatures();
    Checks.equal("size of rows", size, Math.multiplyFull(layout.rows(), features));
  }

  private void checkFeatures() {
    Checks.positive("features", features);
  }

  /** Writes the rows of a batch. */
  private interface Filling {
    void at(long packed);
  }

  private PackedSequence fill(SequenceLayout layout, Filling filling) {
    try (Lease lease = new Lease()) {
      PackedSequence batch = lease.result(PackedSequence.allocate(source, layout, features));
      filling.at(batch.address(lease));
      return lease.done(batch);
    }
  }
}
