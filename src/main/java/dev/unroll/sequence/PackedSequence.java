package dev.unroll.sequence;

import dev.unroll.Workspace;
import dev.unroll.internal.Checks;
import dev.unroll.internal.Floats;
import dev.unroll.internal.Lease;
import dev.unroll.internal.Memory;
import dev.unroll.internal.MemoryNative;
import dev.unroll.internal.MemorySource;
import java.nio.FloatBuffer;
import java.util.List;

/**
 * A batch of sequences of any lengths, packed off-heap: one row of features for every real step, none for padding. The
 * caller's order is kept for everything that goes in or comes out.
 *
 * <p>Whatever is computed from a batch knows its lengths: layers, losses and metrics see real steps only, so neither
 * lengths nor masks are passed along. Sequences need not be sorted, and may have no steps.
 *
 * <pre>{@code
 * float[][][] padded = ...;             // [32][100][16], as for Keras or PyTorch; padded left: BATCH_FIRST_LEFT_PADDED
 * int[] lengths = SequenceLayout.ofMask(mask, BATCH_FIRST).lengths();   // or lengths from elsewhere
 * try (Gru gru = Gru.builder(16, 64).build();
 *     PackedSequence x = PackedSequence.ofPadded(padded, lengths, BATCH_FIRST, 16);   // pack_padded_sequence
 *     RecurrentOutput y = gru.forward(x);
 *     PackedSequence last = y.last()) {                                    // the last real step of every sequence
 *   float[][][] states = y.outputs().toPadded(BATCH_FIRST, 100, 0);        // pad_packed_sequence
 *   float[][][] ragged = y.outputs().toArrays();                           // unpack_sequence
 * }
 * }</pre>
 *
 * <p>Large batches are fastest from flat memory: a direct {@link FloatBuffer} is packed in one native call on all
 * threads, a {@code float[]} on the calling thread, in pieces too short to hold up a garbage collection. Rows that are
 * packed already are used in place by {@link #wrap}. Other methods copy, from and to buffers of any kind. A buffer
 * whose memory is gone throws what it throws when Java reads it: an IllegalStateException if its arena is closed, an
 * InternalError if its file was cut.
 *
 * <p>Wherever there are {@code features} to give, a number below 1 is refused by an IllegalArgumentException.
 *
 * <p>Its content does not change once it is made, so several threads may read it. Close it to free its memory.
 */
public final class PackedSequence implements StepVectors, AutoCloseable {
  private static final String NAME = "PackedSequence";

  private final SequenceLayout layout;
  private final int features;
  private final Memory memory;
  private final long offset;

  /** Nothing is checked. */
  PackedSequence(SequenceLayout layout, int features, Memory memory, long offset) {
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
    return new Packer(MemorySource.SYSTEM, features).nested(sequences);
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
    return packer(workspace, features).nested(sequences);
  }

  private static Packer packer(Workspace workspace, int features) {
    return new Packer(Checks.notNull("workspace", workspace).source(), features);
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
    return new Packer(MemorySource.SYSTEM, features).flat(sequences);
  }

  /**
   * Packs sequences whose steps stand one after the other into memory of a workspace.
   *
   * @param workspace where memory is taken from
   * @param sequences [sequences][steps * features]
   * @param features values of one step, 1 or more
   * @return the batch
   * @throws NullPointerException if an argument or a sequence is null
   * @throws IllegalArgumentException if a sequence's size is no multiple of {@code features}
   * @throws IllegalStateException if the workspace is closed
   */
  public static PackedSequence ofFlat(Workspace workspace, float[][] sequences, int features) {
    return packer(workspace, features).flat(sequences);
  }

  /**
   * Packs a padded batch; the padding is not looked at.
   *
   * @param padded [sequences][steps][features], or [steps][sequences][features], as {@code order} says
   * @param lengths real steps of every sequence, each from 0 to the padded steps; sequences may be in any order
   * @param order which of the two, and on which side padding is
   * @param features values of one step, 1 or more
   * @return the batch
   * @throws NullPointerException if an argument, or a real step, is null; the message says which
   * @throws IllegalArgumentException if a length is out of range or a real step has another number of values
   */
  public static PackedSequence ofPadded(float[][][] padded, int[] lengths, PaddedOrder order, int features) {
    return new Packer(MemorySource.SYSTEM, features).padded(padded, lengths, order);
  }

  /**
   * Packs a padded batch into memory of a workspace.
   *
   * @param workspace where memory is taken from
   * @param padded [sequences][steps][features], or [steps][sequences][features], as {@code order} says
   * @param lengths real steps of every sequence
   * @param order which of the two, and on which side padding is
   * @param features values of one step, 1 or more
   * @return the batch
   * @throws NullPointerException if an argument, or a real step, is null
   * @throws IllegalArgumentException if a length is out of range or a real step has another number of values
   * @throws IllegalStateException if the workspace is closed
   */
  public static PackedSequence ofPadded(
      Workspace workspace, float[][][] padded, int[] lengths, PaddedOrder order, int features) {
    return packer(workspace, features).padded(padded, lengths, order);
  }

  /**
   * Packs a padded batch whose values stand one after the other; the padding is not looked at.
   *
   * @param padded [sequences * steps * features] or [steps * sequences * features], as {@code order} says; its size
   *     says how many steps
   * @param lengths real steps of every sequence, each from 0 to the padded steps; sequences may be in any order
   * @param order which of the two, and on which side padding is
   * @param features values of one step, 1 or more
   * @return the batch
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if a length is out of range, or the size no multiple of sequences * features
   */
  public static PackedSequence ofPadded(float[] padded, int[] lengths, PaddedOrder order, int features) {
    return new Packer(MemorySource.SYSTEM, features)
        .padded(Floats.of(Checks.notNull("padded", padded)), lengths, order);
  }

  /**
   * Packs a padded batch whose values stand one after the other into memory of a workspace.
   *
   * @param workspace where memory is taken from
   * @param padded [sequences * steps * features] or [steps * sequences * features], as {@code order} says
   * @param lengths real steps of every sequence
   * @param order which of the two, and on which side padding is
   * @param features values of one step, 1 or more
   * @return the batch
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if a length is out of range, or the size no multiple of sequences * features
   * @throws IllegalStateException if the workspace is closed
   */
  public static PackedSequence ofPadded(
      Workspace workspace, float[] padded, int[] lengths, PaddedOrder order, int features) {
    return packer(workspace, features).padded(Floats.of(Checks.notNull("padded", padded)), lengths, order);
  }

  /**
   * Packs a padded batch out of a buffer; the padding is not looked at. Any buffer will do: direct or not, read-only,
   * of either byte order; those that {@link #wrap} takes are read by several threads if they are large.
   *
   * @param padded [sequences * steps * features] or [steps * sequences * features], as {@code order} says, from its
   *     position to its limit, which stay as they are
   * @param lengths real steps of every sequence, each from 0 to the padded steps; sequences may be in any order
   * @param order which of the two, and on which side padding is
   * @param features values of one step, 1 or more
   * @return the batch
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if a length is out of range, or the size no multiple of sequences * features
   */
  public static PackedSequence ofPadded(FloatBuffer padded, int[] lengths, PaddedOrder order, int features) {
    return new Packer(MemorySource.SYSTEM, features)
        .padded(Floats.of(Checks.notNull("padded", padded)), lengths, order);
  }

  /**
   * Packs a padded batch out of a buffer into memory of a workspace.
   *
   * @param workspace where memory is taken from
   * @param padded [sequences * steps * features] or [steps * sequences * features], as {@code order} says, from its
   *     position to its limit, which stay as they are
   * @param lengths real steps of every sequence
   * @param order which of the two, and on which side padding is
   * @param features values of one step, 1 or more
   * @return the batch
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if a length is out of range, or the size no multiple of sequences * features
   * @throws IllegalStateException if the workspace is closed
   */
  public static PackedSequence ofPadded(
      Workspace workspace, FloatBuffer padded, int[] lengths, PaddedOrder order, int features) {
    return packer(workspace, features).padded(Floats.of(Checks.notNull("padded", padded)), lengths, order);
  }

  /**
   * Packs sequences that stand one after the other, without padding: a ragged array, given by its values and lengths.
   *
   * @param values [sum of lengths * features], from its position to its limit, which stay as they are; a buffer of any
   *     kind
   * @param lengths steps of every sequence, each 0 or more
   * @param features values of one step, 1 or more
   * @return the batch
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if a length is negative, or the size another than that of all steps
   */
  public static PackedSequence ofConcatenated(FloatBuffer values, int[] lengths, int features) {
    return new Packer(MemorySource.SYSTEM, features).concatenated(values, lengths);
  }

  /**
   * Packs sequences that stand one after the other, without padding, into memory of a workspace.
   *
   * @param workspace where memory is taken from
   * @param values [sum of lengths * features], from its position to its limit, which stay as they are
   * @param lengths steps of every sequence, each 0 or more
   * @param features values of one step, 1 or more
   * @return the batch
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if a length is negative, or the size another than that of all steps
   * @throws IllegalStateException if the workspace is closed
   */
  public static PackedSequence ofConcatenated(Workspace workspace, FloatBuffer values, int[] lengths, int features) {
    return packer(workspace, features).concatenated(values, lengths);
  }

  /**
   * Copies rows that are packed already.
   *
   * @param rows [rows * features] in the order that {@link SequenceLayout} describes, from its position to its limit,
   *     which stay as they are; any buffer will do
   * @param layout the lengths that the rows belong to
   * @param features values of one step, 1 or more
   * @return the batch
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if {@code rows} has another size than the layout's rows * features
   */
  public static PackedSequence ofPacked(FloatBuffer rows, SequenceLayout layout, int features) {
    return new Packer(MemorySource.SYSTEM, features).packed(rows, layout);
  }

  /**
   * Copies rows that are packed already into memory of a workspace.
   *
   * @param workspace where memory is taken from
   * @param rows [rows * features] in packed order, from its position to its limit, which stay as they are
   * @param layout the lengths that the rows belong to
   * @param features values of one step, 1 or more
   * @return the batch
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if {@code rows} has another size than the layout's rows * features
   * @throws IllegalStateException if the workspace is closed
   */
  public static PackedSequence ofPacked(Workspace workspace, FloatBuffer rows, SequenceLayout layout, int features) {
    return packer(workspace, features).packed(rows, layout);
  }

  /**
   * Uses rows that are packed already where they are: nothing is copied. The buffer is kept reachable as long as the
   * batch, or work on it, needs it; closing the batch does not free it. Do not write to it meanwhile: results would be
   * a mixture of old and new values.
   *
   * <p>Native code reads the memory, so it must be memory that only the garbage collector frees: the buffer must come
   * from {@link java.nio.ByteBuffer#allocateDirect}, slices, duplicates, views and read-only ones included. Buffers of
   * the heap, of another byte order, of memory segments (an arena can be closed), of mapped files (which can be cut) or
   * of memory that other native code owns are refused; {@link #ofPacked} copies them. Freeing a buffer by {@code
   * sun.misc.Unsafe} cannot be noticed, and must not be done.
   *
   * @param rows [rows * features] in the order that {@link SequenceLayout} describes, from its position to its limit
   * @param layout the lengths that the rows belong to
   * @param features values of one step, 1 or more
   * @return the batch
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if {@code rows} has another size than the layout's rows * features, or its memory
   *     cannot be used in place; the message says why
   */
  public static PackedSequence wrap(FloatBuffer rows, SequenceLayout layout, int features) {
    return new Packer(MemorySource.SYSTEM, features).wrap(rows, layout);
  }

  /**
   * Uses rows that are packed already where they are; results computed from them are in memory of a workspace.
   *
   * @param workspace where results take their memory from
   * @param rows [rows * features] in packed order, from its position to its limit; see {@link
   *     #wrap(FloatBuffer, SequenceLayout, int)}
   * @param layout the lengths that the rows belong to
   * @param features values of one step, 1 or more
   * @return the batch
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if {@code rows} has another size than the layout's rows * features, or its memory
   *     cannot be used in place
   */
  public static PackedSequence wrap(Workspace workspace, FloatBuffer rows, SequenceLayout layout, int features) {
    return packer(workspace, features).wrap(rows, layout);
  }

  /**
   * Joins batches over their sequences: the requests of several clients, which are then served in one batch. Each gets
   * the bits that it gets alone; {@link StepSelection#ofSequences} takes the results apart.
   *
   * @param batches of as many features
   * @return the sequences of all, batch after batch, copied into memory from where the first batch has its own; close it
   *     to free its memory
   * @throws NullPointerException if {@code batches} or one of them is null; the message says which
   * @throws IllegalArgumentException if there is none, their features differ, or steps and sequences together are more
   *     than 2^31 - 17
   * @throws IllegalStateException if one is closed
   */
  public static PackedSequence join(List<PackedSequence> batches) {
    return Joining.join(batches);
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
   * Makes a batch of undefined content that is shaped as this one, and takes its memory from where this one does.
   *
   * @return the batch
   * @hidden
   */
  public PackedSequence like() {
    return allocate(source(), layout, features);
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
    long bytes = (long) layout.rows() * features * Float.BYTES;
    if (features < 1 || offset < 0 || offset > memory.bytes() - bytes) {
      throw Checks.unexpected("size of a view", bytes + " after " + offset, "at most " + memory.bytes());
    }
    return new PackedSequence(layout, features, memory, offset);
  }

  /**
   * Returns how the rows are laid out.
   *
   * @return the layout
   */
  @Override
  public SequenceLayout layout() {
    return layout;
  }

  /**
   * Counts the values of one step.
   *
   * @return features, 1 or more
   */
  @Override
  public int features() {
    return features;
  }

  /**
   * Takes the batch apart, into new arrays.
   *
   * @return [sequences][steps][features] in the caller's order
   * @throws IllegalStateException if this batch is closed
   */
  public float[][][] toArrays() {
    return new Unpacker(this).nested();
  }

  /**
   * Takes the batch apart, into arrays that are there: memory that is new to the caches takes several times as long to
   * write.
   *
   * @param to [sequences][steps][features] in the caller's order
   * @throws NullPointerException if {@code to}, a sequence or a step is null; the message says which
   * @throws IllegalArgumentException if there is another number of sequences, of steps of a sequence or of values of a
   *     step; the message says which
   * @throws IllegalStateException if this batch is closed
   */
  public void toArrays(float[][][] to) {
    new Unpacker(this).nested(to);
  }

  /**
   * Takes the batch apart, into new arrays, the steps of a sequence one after the other.
   *
   * @return [sequences][steps * features] in the caller's order
   * @throws IllegalStateException if this batch is closed
   * @throws IllegalArgumentException if a sequence has more than 2^31 - 1 values
   */
  public float[][] toFlatArrays() {
    return new Unpacker(this).flat();
  }

  /**
   * Takes the batch apart, the steps of a sequence one after the other, into arrays that are there: memory that is new
   * to the caches takes several times as long to write.
   *
   * @param to [sequences][steps * features] in the caller's order
   * @throws NullPointerException if {@code to} or a sequence is null; the message says which
   * @throws IllegalArgumentException if there is another number of sequences or a sequence has another size; the
   *     message says which
   * @throws IllegalStateException if this batch is closed
   */
  public void toFlatArrays(float[][] to) {
    new Unpacker(this).flat(to);
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
    layout.checkTotalSteps(order, totalSteps);
    return order.pad(toArrays(), totalSteps, features, padding);
  }

  /**
   * Takes the batch apart into a padded one whose values stand one after the other.
   *
   * @param to [sequences * totalSteps * features] or [totalSteps * sequences * features], as {@code order} says; all of
   *     it is written
   * @param order which of the two, and on which side padding is
   * @param totalSteps steps of every sequence, at least the longest length
   * @param padding value of every feature of the steps that are not real
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if {@code totalSteps} is below the longest length, or {@code to} has another size
   * @throws IllegalStateException if this batch is closed
   */
  public void toPadded(float[] to, PaddedOrder order, int totalSteps, float padding) {
    new Unpacker(this).padded(Floats.of(Checks.notNull("to", to)), order, totalSteps, padding);
  }

  /**
   * Takes the batch apart into a padded one in a buffer of any kind.
   *
   * @param to [sequences * totalSteps * features] or [totalSteps * sequences * features], as {@code order} says, from
   *     its position to its limit, which stay as they are; all of it is written
   * @param order which of the two, and on which side padding is
   * @param totalSteps steps of every sequence, at least the longest length
   * @param padding value of every feature of the steps that are not real
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if {@code totalSteps} is below the longest length, or {@code to} has another size
   *     or is read-only
   * @throws IllegalStateException if this batch is closed
   */
  public void toPadded(FloatBuffer to, PaddedOrder order, int totalSteps, float padding) {
    new Unpacker(this).padded(writable(to), order, totalSteps, padding);
  }

  private static Floats writable(FloatBuffer to) {
    boolean readOnly = Checks.notNull("to", to).isReadOnly();
    Checks.require(!readOnly, "to", "a read-only buffer", "one that can be written");
    return Floats.of(to);
  }

  /**
   * Takes the batch apart into sequences that stand one after the other, without padding.
   *
   * @param to [rows * features], from its position to its limit, which stay as they are; a buffer of any kind
   * @throws NullPointerException if {@code to} is null
   * @throws IllegalArgumentException if {@code to} has another size, or is read-only
   * @throws IllegalStateException if this batch is closed
   */
  public void toConcatenated(FloatBuffer to) {
    new Unpacker(this).concatenated(writable(to));
  }

  /**
   * Copies the rows as they are packed.
   *
   * @param to [rows * features], from its position to its limit, which stay as they are; a buffer of any kind
   * @throws NullPointerException if {@code to} is null
   * @throws IllegalArgumentException if {@code to} has another size, or is read-only
   * @throws IllegalStateException if this batch is closed
   */
  public void toPacked(FloatBuffer to) {
    Floats floats = writable(to);
    Checks.equal("size of to", floats.size(), Math.multiplyFull(layout.rows(), features));
    try (Lease lease = new Lease()) {
      floats.copyFrom(address(lease));
    }
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
   * Reverses every sequence within its own length: its first step changes places with its last real one. A layer's
   * reverse direction does so by itself.
   *
   * @return a batch of the same layout; close it to free its memory
   * @throws IllegalStateException if this batch is closed
   */
  public PackedSequence reversed() {
    return StepSelection.reversed(layout).select(this);
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
   * Tells whether this batch is closed.
   *
   * @return true after {@link #close}
   * @hidden
   */
  @Override
  public boolean isClosed() {
    return memory.isClosed();
  }

  /**
   * Returns where results that belong with this batch take their memory from.
   *
   * @return the source
   * @hidden
   */
  @Override
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
