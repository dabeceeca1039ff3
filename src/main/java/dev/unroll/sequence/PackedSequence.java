package dev.unroll.sequence;

import dev.unroll.Workspace;
import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.Memory;
import dev.unroll.internal.MemoryNative;
import dev.unroll.internal.MemorySource;

/**
 * A batch of sequences of any lengths, packed off-heap: one row of features for every real step, none for padding. The
 * caller's order is kept for everything that goes in or comes out.
 *
 * <p>Its content does not change once it is made, so several threads may read it. Close it to free its memory.
 */
public final class PackedSequence implements AutoCloseable {
  private static final String NAME = "PackedSequence";

  private final SequenceLayout layout;
  private final int features;
  private final Memory memory;
  private final long offset;

  private PackedSequence(SequenceLayout layout, int features, Memory memory, long offset) {
    this.layout = layout;
    this.features = features;
    this.memory = memory;
    this.offset = offset;
  }

  /**
   * Packs sequences.
   *
   * @param sequences [sequences][steps][features]; any number of sequences and steps, 0 included
   * @param features values of one step, 1 or more
   * @return the batch
   * @throws NullPointerException if {@code sequences}, a sequence or a step is null; the message says which
   * @throws IllegalArgumentException if a step has another number of values; the message says which
   */
  public static PackedSequence of(float[][][] sequences, int features) {
    return of(MemorySource.SYSTEM, sequences, features);
  }

  /**
   * Packs sequences into memory of a workspace; so are all results computed from them.
   *
   * @param workspace where memory is taken from
   * @param sequences [sequences][steps][features]
   * @param features values of one step, 1 or more
   * @return the batch
   * @throws NullPointerException if an argument, a sequence or a step is null
   * @throws IllegalArgumentException if a step has another number of values
   * @throws IllegalStateException if the workspace is closed
   */
  public static PackedSequence of(Workspace workspace, float[][][] sequences, int features) {
    return of(Checks.notNull("workspace", workspace).source(), sequences, features);
  }

  private static PackedSequence of(MemorySource source, float[][][] sequences, int features) {
    Checks.notNull("sequences", sequences);
    Checks.positive("features", features);
    float[][] flat = new float[sequences.length][];
    for (int i = 0; i < flat.length; i++) {
      flat[i] = flatten("sequences[" + i + "]", sequences[i], features);
    }
    return ofFlat(source, flat, features);
  }

  private static float[] flatten(String name, float[][] steps, int features) {
    Checks.notNull(name, steps);
    for (int t = 0; t < steps.length; t++) {
      String step = name + "[" + t + "]";
      Checks.equal("number of values in " + step, Checks.notNull(step, steps[t]).length, features);
    }
    float[] flat = new float[checkSize(name, steps.length, features)];
    for (int t = 0; t < steps.length; t++) {
      System.arraycopy(steps[t], 0, flat, t * features, features);
    }
    return flat;
  }

  /**
   * Packs a padded batch; the padding is not looked at.
   *
   * @param padded [sequences][steps][features], or [steps][sequences][features], as {@code order} says
   * @param lengths real steps of every sequence, each from 0 to the padded steps; sequences may be in any order
   * @param order which of the two
   * @param features values of one step, 1 or more
   * @return the batch
   * @throws NullPointerException if an argument, or a real step, is null; the message says which
   * @throws IllegalArgumentException if a length is out of range or a real step has another number of values
   */
  public static PackedSequence ofPadded(float[][][] padded, int[] lengths, PaddedOrder order, int features) {
    Checks.notNull("order", order);
    return of(order.unpad(Checks.notNull("padded", padded), Checks.notNull("lengths", lengths)), features);
  }

  /**
   * Packs one sequence alone.
   *
   * @param sequence [steps][features]
   * @param features values of one step, 1 or more
   * @return a batch of one sequence
   * @throws NullPointerException if {@code sequence} or a step is null
   * @throws IllegalArgumentException if a step has another number of values
   */
  public static PackedSequence ofOne(float[][] sequence, int features) {
    return of(new float[][][] {Checks.notNull("sequence", sequence)}, features);
  }

  /** Requires that a sequence fits into an array. */
  private static int checkSize(String name, int steps, int features) {
    long size = (long) steps * features;
    Checks.require(size <= Integer.MAX_VALUE, "size of " + name, size, "at most 2^31 - 1 values");
    return (int) size;
  }

  /**
   * Packs sequences whose steps stand one after the other.
   *
   * @param sequences [sequences][steps * features]
   * @param features values of one step, 1 or more
   * @return the batch
   * @throws NullPointerException if {@code sequences} or a sequence is null
   * @throws IllegalArgumentException if a sequence's size is no multiple of {@code features}; the message says which
   */
  public static PackedSequence ofFlat(float[][] sequences, int features) {
    return ofFlat(MemorySource.SYSTEM, sequences, features);
  }

  private static PackedSequence ofFlat(MemorySource source, float[][] given, int features) {
    // A copy, so that no other thread can put a shorter array in the place of one whose size was read.
    float[][] sequences = Checks.notNull("sequences", given).clone();
    Checks.positive("features", features);
    int[] lengths = new int[sequences.length];
    for (int i = 0; i < lengths.length; i++) {
      String name = "sequences[" + i + "]";
      int size = Checks.notNull(name, sequences[i]).length;
      Checks.require(size % features == 0, "size of " + name, size, "a multiple of features = " + features);
      lengths[i] = size / features;
    }
    PackedSequence batch = allocate(source, SequenceLayout.of(lengths), features);
    try (Lease lease = new Lease()) {
      long packed = lease.result(batch).address(lease);
      for (int i = 0; i < lengths.length; i++) {
        batch.layout.packed().pack(i, features, sequences[i], packed);
      }
      return lease.done(batch);
    }
  }

  /**
   * Makes a batch of undefined content.
   *
   * @param source where its memory is taken from
   * @param layout its layout
   * @param features values of one row
   * @return the batch
   * @hidden
   */
  public static PackedSequence allocate(MemorySource source, SequenceLayout layout, int features) {
    long bytes = Math.multiplyExact((long) layout.rows() * Float.BYTES, features);
    return new PackedSequence(layout, features, Memory.from(source, bytes, NAME), 0);
  }

  /**
   * Makes a batch of memory that is there.
   *
   * @param layout its layout
   * @param features values of one row
   * @param memory what holds its rows; closed with the batch
   * @param offset bytes before the first row
   * @return the batch
   * @hidden
   */
  public static PackedSequence view(SequenceLayout layout, int features, Memory memory, long offset) {
    return new PackedSequence(layout, features, memory, offset);
  }

  /**
   * Returns how the rows are laid out.
   *
   * @return the layout
   */
  public SequenceLayout layout() {
    return layout;
  }

  /**
   * Counts the values of one step.
   *
   * @return features, 1 or more
   */
  public int features() {
    return features;
  }

  /**
   * Takes the batch apart.
   *
   * @return [sequences][steps][features] in the caller's order
   * @throws IllegalStateException if this batch is closed
   */
  public float[][][] toArrays() {
    float[][] flat = toFlatArrays();
    float[][][] sequences = new float[flat.length][][];
    for (int i = 0; i < flat.length; i++) {
      sequences[i] = new float[layout.length(i)][features];
      for (int t = 0; t < sequences[i].length; t++) {
        System.arraycopy(flat[i], t * features, sequences[i][t], 0, features);
      }
    }
    return sequences;
  }

  /**
   * Takes the batch apart, the steps of a sequence one after the other.
   *
   * @return [sequences][steps * features] in the caller's order
   * @throws IllegalStateException if this batch is closed
   * @throws IllegalArgumentException if a sequence has more than 2^31 - 1 values
   */
  public float[][] toFlatArrays() {
    float[][] sequences = new float[layout.sequences()][];
    try (Lease lease = new Lease()) {
      long packed = address(lease);
      for (int i = 0; i < sequences.length; i++) {
        sequences[i] = new float[checkSize("sequence " + i, layout.length(i), features)];
        layout.packed().unpack(i, features, packed, sequences[i]);
      }
    }
    return sequences;
  }

  /**
   * Takes the batch apart into a padded one.
   *
   * @param order how it is laid out
   * @param totalSteps steps of every sequence, at least the longest length
   * @param padding value of every feature of the steps that are not real
   * @return [sequences][totalSteps][features], or [totalSteps][sequences][features], sequences in the caller's order
   * @throws NullPointerException if {@code order} is null
   * @throws IllegalArgumentException if {@code totalSteps} is below the longest length
   * @throws IllegalStateException if this batch is closed
   */
  public float[][][] toPadded(PaddedOrder order, int totalSteps, float padding) {
    Checks.notNull("order", order);
    Checks.require(totalSteps >= layout.steps(), "totalSteps", totalSteps, layout.steps() + " or more");
    return order.pad(toArrays(), totalSteps, features, padding);
  }

  /**
   * Returns one step.
   *
   * @param sequence the sequence's index in the caller's order
   * @param step the step, from 0
   * @return [features]
   * @throws IllegalArgumentException if there is no such sequence or step
   * @throws IllegalStateException if this batch is closed
   */
  public float[] step(int sequence, int step) {
    int row = layout.row(sequence, step);
    float[] values = new float[features];
    try (Lease lease = new Lease()) {
      MemoryNative.getFloats(address(lease) + (long) row * features * Float.BYTES, values, 0, features);
    }
    return values;
  }

  /**
   * Pins the memory.
   *
   * @param lease what keeps it pinned
   * @return the address of the first row
   * @hidden
   */
  public long address(Lease lease) {
    return lease.address(memory) + offset;
  }

  /**
   * Returns where results that belong with this batch take their memory from.
   *
   * @return the source
   * @hidden
   */
  public MemorySource source() {
    return memory.source();
  }

  /** Frees the memory; calling it again does nothing. */
  @Override
  public void close() {
    memory.close();
  }

  @Override
  public String toString() {
    return NAME + "(features " + features + ", " + layout + ")";
  }
}
