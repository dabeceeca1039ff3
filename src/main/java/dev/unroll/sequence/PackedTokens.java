package dev.unroll.sequence;

import dev.unroll.Workspace;
import dev.unroll.internal.Argmax;
import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.Memory;
import dev.unroll.internal.MemoryNative;
import dev.unroll.internal.MemorySource;
import dev.unroll.internal.RowReader;
import java.nio.IntBuffer;
import java.util.List;

/**
 * A batch of sequences of tokens or labels, packed off-heap like {@link PackedSequence}: one number of a vocabulary for
 * every real step. A token stands for a one-hot vector that is never written out. Every token is checked on its way in,
 * so there is always a copy.
 *
 * <p>Wherever there is a {@code vocabulary} to give, a number below 1 is refused by an IllegalArgumentException.
 *
 * <p>Its content does not change once it is made. Close it to free its memory.
 */
public final class PackedTokens implements AutoCloseable {
  private static final String NAME = "PackedTokens";

  private final SequenceLayout layout;
  private final int vocabulary;
  private final Memory memory;

  private PackedTokens(SequenceLayout layout, int vocabulary, Memory memory) {
    this.layout = layout;
    this.vocabulary = vocabulary;
    this.memory = memory;
  }

  /**
   * Packs sequences of tokens.
   *
   * @param sequences [sequences][steps]; any number of both, 0 included
   * @param vocabulary how many tokens there are; each is at least 0 and below it
   * @return the batch
   * @throws NullPointerException if {@code sequences} or a sequence is null; the message says which
   * @throws IllegalArgumentException if a token is outside the vocabulary; the message says which
   */
  public static PackedTokens of(int[][] sequences, int vocabulary) {
    return GivenTokens.sequences(sequences).pack(MemorySource.SYSTEM, vocabulary);
  }

  /**
   * Packs sequences of tokens into memory of a workspace; so are all results computed from them.
   *
   * @param workspace where memory is taken from
   * @param sequences [sequences][steps]
   * @param vocabulary how many tokens there are
   * @return the batch
   * @throws NullPointerException if an argument or a sequence is null
   * @throws IllegalArgumentException if a token is outside the vocabulary
   * @throws IllegalStateException if the workspace is closed
   */
  public static PackedTokens of(Workspace workspace, int[][] sequences, int vocabulary) {
    return GivenTokens.sequences(sequences).pack(source(workspace), vocabulary);
  }

  private static MemorySource source(Workspace workspace) {
    return Checks.notNull("workspace", workspace).source();
  }

  /**
   * Packs one label for every sequence, to compare with one row of scores for each, such as those of a last step.
   *
   * @param labels [sequences]
   * @param vocabulary how many labels there are; each is at least 0 and below it
   * @return sequences of one step
   * @throws NullPointerException if {@code labels} is null
   * @throws IllegalArgumentException if a label is outside the vocabulary; the message says which
   */
  public static PackedTokens ofLabels(int[] labels, int vocabulary) {
    return GivenTokens.labels(labels).pack(MemorySource.SYSTEM, vocabulary);
  }

  /**
   * Packs one label for every sequence into memory of a workspace.
   *
   * @param workspace where memory is taken from
   * @param labels [sequences]
   * @param vocabulary how many labels there are
   * @return sequences of one step
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if a label is outside the vocabulary
   * @throws IllegalStateException if the workspace is closed
   */
  public static PackedTokens ofLabels(Workspace workspace, int[] labels, int vocabulary) {
    return GivenTokens.labels(labels).pack(source(workspace), vocabulary);
  }

  /**
   * Packs a padded batch; the padding is not looked at.
   *
   * @param padded [sequences][steps] or [steps][sequences], as {@code order} says
   * @param lengths real steps of every sequence, each from 0 to the padded steps; sequences may be in any order
   * @param order which of the two, and on which side padding is
   * @param vocabulary how many tokens there are; each real one is at least 0 and below it
   * @return the batch
   * @throws NullPointerException if an argument or an array of {@code padded} is null
   * @throws IllegalArgumentException if a length is out of range, or a token outside the vocabulary
   */
  public static PackedTokens ofPadded(int[][] padded, int[] lengths, PaddedOrder order, int vocabulary) {
    return GivenTokens.padded(padded, lengths, order).pack(MemorySource.SYSTEM, vocabulary);
  }

  /**
   * Packs a padded batch into memory of a workspace.
   *
   * @param workspace where memory is taken from
   * @param padded [sequences][steps] or [steps][sequences], as {@code order} says
   * @param lengths real steps of every sequence
   * @param order which of the two, and on which side padding is
   * @param vocabulary how many tokens there are
   * @return the batch
   * @throws NullPointerException if an argument or an array of {@code padded} is null
   * @throws IllegalArgumentException if a length is out of range, or a token outside the vocabulary
   * @throws IllegalStateException if the workspace is closed
   */
  public static PackedTokens ofPadded(
      Workspace workspace, int[][] padded, int[] lengths, PaddedOrder order, int vocabulary) {
    return GivenTokens.padded(padded, lengths, order).pack(source(workspace), vocabulary);
  }

  /**
   * Packs a padded batch whose tokens stand one after the other; the padding is not looked at.
   *
   * @param padded [sequences * steps] or [steps * sequences], as {@code order} says; its size says how many steps
   * @param lengths real steps of every sequence, each from 0 to the padded steps; sequences may be in any order
   * @param order which of the two, and on which side padding is
   * @param vocabulary how many tokens there are; each real one is at least 0 and below it
   * @return the batch
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if a length is out of range, the size no multiple of the number of sequences, or a
   *     token outside the vocabulary
   */
  public static PackedTokens ofPadded(int[] padded, int[] lengths, PaddedOrder order, int vocabulary) {
    return GivenTokens.padded(padded, lengths, order).pack(MemorySource.SYSTEM, vocabulary);
  }

  /**
   * Packs a padded batch whose tokens stand one after the other into memory of a workspace.
   *
   * @param workspace where memory is taken from
   * @param padded [sequences * steps] or [steps * sequences], as {@code order} says
   * @param lengths real steps of every sequence
   * @param order which of the two, and on which side padding is
   * @param vocabulary how many tokens there are
   * @return the batch
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if a length is out of range, the size no multiple of the number of sequences, or a
   *     token outside the vocabulary
   * @throws IllegalStateException if the workspace is closed
   */
  public static PackedTokens ofPadded(
      Workspace workspace, int[] padded, int[] lengths, PaddedOrder order, int vocabulary) {
    return GivenTokens.padded(padded, lengths, order).pack(source(workspace), vocabulary);
  }

  /**
   * Packs a padded batch out of a buffer of any kind; the padding is not looked at.
   *
   * @param padded [sequences * steps] or [steps * sequences], as {@code order} says, from its position to its limit,
   *     which stay as they are
   * @param lengths real steps of every sequence, each from 0 to the padded steps; sequences may be in any order
   * @param order which of the two, and on which side padding is
   * @param vocabulary how many tokens there are; each real one is at least 0 and below it
   * @return the batch
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if a length is out of range, the size no multiple of the number of sequences, or a
   *     token outside the vocabulary
   */
  public static PackedTokens ofPadded(IntBuffer padded, int[] lengths, PaddedOrder order, int vocabulary) {
    return GivenTokens.padded(padded, lengths, order).pack(MemorySource.SYSTEM, vocabulary);
  }

  /**
   * Packs a padded batch out of a buffer of any kind into memory of a workspace.
   *
   * @param workspace where memory is taken from
   * @param padded [sequences * steps] or [steps * sequences], as {@code order} says, from its position to its limit,
   *     which stay as they are
   * @param lengths real steps of every sequence
   * @param order which of the two, and on which side padding is
   * @param vocabulary how many tokens there are
   * @return the batch
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if a length is out of range, the size no multiple of the number of sequences, or a
   *     token outside the vocabulary
   * @throws IllegalStateException if the workspace is closed
   */
  public static PackedTokens ofPadded(
      Workspace workspace, IntBuffer padded, int[] lengths, PaddedOrder order, int vocabulary) {
    return GivenTokens.padded(padded, lengths, order).pack(source(workspace), vocabulary);
  }

  /**
   * Packs sequences that stand one after the other, without padding.
   *
   * @param tokens [sum of lengths], from its position to its limit, which stay as they are; a buffer of any kind
   * @param lengths steps of every sequence, each 0 or more
   * @param vocabulary how many tokens there are; each is at least 0 and below it
   * @return the batch
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if a length is negative, the size not their sum, or a token outside the vocabulary
   */
  public static PackedTokens ofConcatenated(IntBuffer tokens, int[] lengths, int vocabulary) {
    return GivenTokens.concatenated(tokens, lengths).pack(MemorySource.SYSTEM, vocabulary);
  }

  /**
   * Packs sequences that stand one after the other, without padding, into memory of a workspace.
   *
   * @param workspace where memory is taken from
   * @param tokens [sum of lengths], from its position to its limit, which stay as they are; a buffer of any kind
   * @param lengths steps of every sequence, each 0 or more
   * @param vocabulary how many tokens there are; each is at least 0 and below it
   * @return the batch
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if a length is negative, the size not their sum, or a token outside the vocabulary
   * @throws IllegalStateException if the workspace is closed
   */
  public static PackedTokens ofConcatenated(Workspace workspace, IntBuffer tokens, int[] lengths, int vocabulary) {
    return GivenTokens.concatenated(tokens, lengths).pack(source(workspace), vocabulary);
  }

  /**
   * Takes the token with the largest score of every step: argmax.
   *
   * @param scores a row of scores, or of probabilities, for every step, one for each token
   * @return a batch of the same layout; its vocabulary is the feature count. Of equal largest scores the first token is
   *     taken; NaN counts as the largest, as in NumPy and PyTorch. Close it to free its memory
   * @throws NullPointerException if {@code scores} is null
   * @throws IllegalStateException if it is closed
   */
  public static PackedTokens ofLargest(PackedSequence scores) {
    int vocabulary = Checks.notNull("scores", scores).features();
    int[] tokens = new int[scores.layout().rows()];
    try (Lease lease = new Lease()) {
      RowReader.forEachRow(
          scores.address(lease),
          tokens.length,
          vocabulary,
          (r, row, start) -> tokens[r] = Argmax.first(row, start, vocabulary));
    }
    return ofRows(scores.source(), scores.layout(), vocabulary, tokens);
  }

  /**
   * Joins batches over their sequences, as {@link PackedSequence#join} does.
   *
   * @param batches of one vocabulary
   * @return the sequences of all, batch after batch; close it to free its memory
   * @throws NullPointerException if {@code batches} or one of them is null; the message says which
   * @throws IllegalArgumentException if there is none, their vocabularies differ, or steps and sequences together are
   *     more than 2^31 - 17
   * @throws IllegalStateException if one is closed
   */
  public static PackedTokens join(List<PackedTokens> batches) {
    return Joining.joinTokens(batches);
  }

  /** Makes a batch of tokens of the vocabulary, in packed order. */
  static PackedTokens ofRows(MemorySource source, SequenceLayout layout, int vocabulary, int[] packed) {
    PackedTokens batch =
        new PackedTokens(layout, vocabulary, Memory.from(source, (long) packed.length * Integer.BYTES, NAME));
    try (Lease lease = new Lease()) {
      MemoryNative.putInts(batch.address(lease), packed, 0, packed.length);
    }
    return batch;
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
   * Counts the tokens that there are.
   *
   * @return every token is at least 0 and below this
   */
  public int vocabulary() {
    return vocabulary;
  }

  /**
   * Takes the batch apart.
   *
   * @return [sequences][steps] in the caller's order
   * @throws IllegalStateException if this batch is closed
   */
  public int[][] toArrays() {
    return new TokenUnpacker(this).nested();
  }

  /** The tokens in packed order. */
  int[] rows() {
    int[] packed = new int[layout.rows()];
    try (Lease lease = new Lease()) {
      MemoryNative.getInts(address(lease), packed, 0, packed.length);
    }
    return packed;
  }

  /**
   * Takes the batch apart into a padded one.
   *
   * @param order how it is laid out
   * @param totalSteps steps of every sequence, at least the longest length
   * @param padding what stands in the steps that are not real; any number
   * @return [sequences][totalSteps] or [totalSteps][sequences], sequences in the caller's order
   * @throws NullPointerException if {@code order} is null
   * @throws IllegalArgumentException if {@code totalSteps} is below the longest length
   * @throws IllegalStateException if this batch is closed
   */
  public int[][] toPadded(PaddedOrder order, int totalSteps, int padding) {
    return new TokenUnpacker(this).padded(order, totalSteps, padding);
  }

  /**
   * Takes the batch apart into a padded one whose tokens stand one after the other.
   *
   * @param to [sequences * totalSteps] or [totalSteps * sequences], as {@code order} says; all of it is written
   * @param order which of the two, and on which side padding is
   * @param totalSteps steps of every sequence, at least the longest length
   * @param padding what stands in the steps that are not real; any number
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if {@code totalSteps} is below the longest length, or {@code to} has another size
   * @throws IllegalStateException if this batch is closed
   */
  public void toPadded(int[] to, PaddedOrder order, int totalSteps, int padding) {
    toPadded(IntBuffer.wrap(Checks.notNull("to", to)), order, totalSteps, padding);
  }

  /**
   * Takes the batch apart into a padded one in a buffer of any kind.
   *
   * @param to [sequences * totalSteps] or [totalSteps * sequences], as {@code order} says, from its position to its
   *     limit, which stay as they are; all of it is written
   * @param order which of the two, and on which side padding is
   * @param totalSteps steps of every sequence, at least the longest length
   * @param padding what stands in the steps that are not real; any number
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if {@code totalSteps} is below the longest length, or {@code to} has another size
   *     or is read-only
   * @throws IllegalStateException if this batch is closed
   */
  public void toPadded(IntBuffer to, PaddedOrder order, int totalSteps, int padding) {
    new TokenUnpacker(this).padded(to, order, totalSteps, padding);
  }

  /**
   * Takes a batch of sequences of one step apart: the opposite of {@link #ofLabels(int[], int)}.
   *
   * @return one label for every sequence
   * @throws IllegalArgumentException if a sequence has another number of steps
   * @throws IllegalStateException if this batch is closed
   */
  public int[] toLabels() {
    layout.requireSame("tokens", "labels", SequenceLayout.ofSingleSteps(layout.sequences()));
    return rows(); // equal lengths keep the caller's order
  }

  /**
   * Takes the batch apart into sequences that stand one after the other, without padding.
   *
   * @param to [rows], from its position to its limit, which stay as they are; a buffer of any kind
   * @throws NullPointerException if {@code to} is null
   * @throws IllegalArgumentException if {@code to} has another size or is read-only
   * @throws IllegalStateException if this batch is closed
   */
  public void toConcatenated(IntBuffer to) {
    new TokenUnpacker(this).concatenated(to);
  }

  /**
   * Looks every token up in a table, for example the weight of each class for a loss.
   *
   * @param table a value for each token of the vocabulary
   * @return one feature, {@code table[token]}, laid out as this batch; close it to free its memory
   * @throws NullPointerException if {@code table} is null
   * @throws IllegalArgumentException if it has another size than the vocabulary
   * @throws IllegalStateException if this batch is closed
   */
  public PackedSequence lookUp(float[] table) {
    Checks.equal("size of table", Checks.notNull("table", table).length, vocabulary);
    int[] tokens = rows();
    float[] values = new float[tokens.length];
    for (int r = 0; r < values.length; r++) {
      values[r] = table[tokens[r]];
    }
    try (Lease lease = new Lease()) {
      PackedSequence result = lease.result(PackedSequence.allocate(source(), layout, 1));
      MemoryNative.putFloats(result.address(lease), values, 0, values.length);
      return lease.done(result);
    }
  }

  /**
   * Reverses every sequence within its own length.
   *
   * @return a batch of the same layout; close it to free its memory
   * @throws IllegalStateException if this batch is closed
   */
  public PackedTokens reversed() {
    return StepSelection.reversed(layout).select(this);
  }

  /**
   * Pins the memory.
   *
   * @param lease what keeps it pinned
   * @return the address of the first token
   * @hidden
   */
  public long address(Lease lease) {
    return lease.address(memory);
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
    return NAME + "(vocabulary " + vocabulary + ", " + layout + ")";
  }
}
