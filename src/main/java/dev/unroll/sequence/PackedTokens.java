package dev.unroll.sequence;

import dev.unroll.Workspace;
import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.Memory;
import dev.unroll.internal.MemoryNative;
import dev.unroll.internal.MemorySource;
import dev.unroll.internal.PackedOrder;

/**
 * A batch of sequences of tokens or labels, packed off-heap like {@link PackedSequence}: one number of a vocabulary for
 * every real step. A token stands for a one-hot vector that is never written out.
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
    return of(MemorySource.SYSTEM, sequences, vocabulary);
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
    return of(Checks.notNull("workspace", workspace).source(), sequences, vocabulary);
  }

  private static PackedTokens of(MemorySource source, int[][] sequences, int vocabulary) {
    Checks.notNull("sequences", sequences);
    Checks.positive("vocabulary", vocabulary);
    int[] lengths = new int[sequences.length];
    for (int i = 0; i < lengths.length; i++) {
      lengths[i] = Checks.notNull("sequences[" + i + "]", sequences[i]).length;
    }
    SequenceLayout layout = SequenceLayout.of(lengths);
    PackedOrder order = layout.packed();
    int[] packed = new int[layout.rows()];
    for (int i = 0; i < lengths.length; i++) {
      for (int t = 0; t < lengths[i]; t++) {
        int token = sequences[i][t];
        if (token < 0 || token >= vocabulary) {
          Checks.index("token sequences[" + i + "][" + t + "]", token, vocabulary);
        }
        packed[order.row(i, t)] = token;
      }
    }
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
    int[] packed = new int[layout.rows()];
    try (Lease lease = new Lease()) {
      MemoryNative.getInts(address(lease), packed, 0, packed.length);
    }
    int[][] sequences = new int[layout.sequences()][];
    for (int i = 0; i < sequences.length; i++) {
      sequences[i] = new int[layout.length(i)];
      for (int t = 0; t < sequences[i].length; t++) {
        sequences[i][t] = packed[layout.row(i, t)];
      }
    }
    return sequences;
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
