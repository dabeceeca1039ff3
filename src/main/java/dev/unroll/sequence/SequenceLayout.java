package dev.unroll.sequence;

import dev.unroll.internal.Checks;
import dev.unroll.internal.PackedOrder;
import java.util.Arrays;

/**
 * How the steps of a batch of sequences lie in a packed batch: all first steps, then all second steps, and so on;
 * sequences ordered by length, longest first, equal lengths in the caller's order. There are exactly as many rows as
 * real steps. Length 0 and a batch of 0 sequences are legal.
 *
 * <p>Immutable. Two layouts are equal if their lengths are.
 */
public final class SequenceLayout {
  private static final int MOST_ROWS = Integer.MAX_VALUE - 16; // numbers of rows and of initial states fit an int

  private final int[] lengths;
  private final PackedOrder packed;

  private SequenceLayout(int[] lengths) {
    this.lengths = lengths;
    int steps = 0;
    for (int length : lengths) {
      steps = Math.max(steps, length);
    }
    int[] atLeast = new int[steps + 2]; // sequences of at least this length
    for (int length : lengths) {
      atLeast[length]++;
    }
    for (int length = steps; length > 0; length--) {
      atLeast[length - 1] += atLeast[length];
    }
    int[] offsets = new int[steps + 1];
    for (int t = 0; t < steps; t++) {
      offsets[t + 1] = offsets[t] + atLeast[t + 1];
    }
    int[] order = new int[lengths.length];
    int[] positions = new int[lengths.length];
    int[] next = Arrays.copyOfRange(atLeast, 1, steps + 2); // first position of each length: as many are longer
    for (int i = 0; i < lengths.length; i++) {
      positions[i] = next[lengths[i]]++;
      order[positions[i]] = i;
    }
    packed = new PackedOrder(offsets, order, positions);
  }

  /**
   * Lays out sequences of the given lengths.
   *
   * @param lengths steps of each sequence, each 0 or more, in any order
   * @return the layout
   * @throws NullPointerException if {@code lengths} is null
   * @throws IllegalArgumentException if a length is negative, or steps and sequences together exceed 2^31 - 17
   */
  public static SequenceLayout of(int... lengths) {
    int[] copy = Checks.notNull("lengths", lengths).clone();
    long rows = 0;
    for (int i = 0; i < copy.length; i++) {
      if (copy[i] < 0) {
        throw Checks.unexpected("lengths[" + i + "]", copy[i], "0 or more");
      }
      rows += copy[i];
    }
    long both = rows + copy.length;
    if (both > MOST_ROWS) {
      throw Checks.unexpected("steps and sequences", both, "at most " + MOST_ROWS + " together");
    }
    return new SequenceLayout(copy);
  }

  /**
   * Lays out sequences of one step each, such as labels or last states.
   *
   * @param sequences how many
   * @return the layout, whose rows are in the caller's order
   * @hidden
   */
  public static SequenceLayout ofSingleSteps(int sequences) {
    int[] ones = new int[sequences];
    Arrays.fill(ones, 1);
    return of(ones);
  }

  /**
   * Takes the lengths from a mask, as Keras has it.
   *
   * @param mask [sequences][steps] or [steps][sequences], as {@code order} says: true for the real steps of a sequence,
   *     false for its padding, which comes after them or, as {@code order} says, before them; not changed
   * @param order which of the two, and on which side padding is
   * @return the layout; its {@link #lengths()} are those of the padded batch
   * @throws NullPointerException if an argument or a row of the mask is null
   * @throws IllegalArgumentException if there is padding between or on the wrong side of the real steps of a sequence,
   *     which the message names, or if rows are missing
   */
  public static SequenceLayout ofMask(boolean[][] mask, PaddedOrder order) {
    boolean[][] own = Checks.notNull("mask", mask).clone();
    return of(Checks.notNull("order", order).maskLengths(own));
  }

  /**
   * Takes the lengths from a mask whose rows stand one after the other, beside data that do.
   *
   * @param mask [sequences * steps] or [steps * sequences], as {@code order} says: true for the real steps of a sequence
   * @param sequences how many
   * @param order which of the two, and on which side padding is
   * @return the layout; its {@link #lengths()} are those of the padded batch
   * @throws NullPointerException if {@code mask} or {@code order} is null
   * @throws IllegalArgumentException if {@code sequences} is negative or does not divide the size of the mask, or as
   *     {@link #ofMask(boolean[][], PaddedOrder)}, whose indices the message names
   */
  public static SequenceLayout ofMask(boolean[] mask, int sequences, PaddedOrder order) {
    int size = Checks.notNull("mask", mask).length;
    Checks.notNegative("sequences", sequences);
    boolean whole = sequences == 0 ? size == 0 : size % sequences == 0;
    Checks.require(whole, "size of mask", size, "a multiple of sequences = " + sequences);
    int steps = sequences == 0 ? 0 : size / sequences;
    int outer = Checks.notNull("order", order).outer(sequences, steps);
    if (steps == 0) {
      return of(new int[sequences]);
    }
    int inner = order.inner(sequences, steps);
    boolean[][] rows = new boolean[outer][];
    Arrays.setAll(rows, i -> Arrays.copyOfRange(mask, i * inner, (i + 1) * inner));
    return of(order.maskLengths(rows));
  }

  /**
   * Takes the lengths from a mask of numbers, as tokenizers have it.
   *
   * @param mask [sequences][steps] or [steps][sequences], as {@code order} says: 1 for the real steps of a sequence, 0 for
   *     its padding
   * @param order which of the two, and on which side padding is
   * @return the layout; its {@link #lengths()} are those of the padded batch
   * @throws NullPointerException if an argument or a row of the mask is null
   * @throws IllegalArgumentException if a number is neither, or as {@link #ofMask(boolean[][], PaddedOrder)}
   */
  public static SequenceLayout ofMask(int[][] mask, PaddedOrder order) {
    boolean[][] real = new boolean[Checks.notNull("mask", mask).length][];
    for (int i = 0; i < real.length; i++) {
      int[] row = Checks.notNull("mask[" + i + "]", mask[i]);
      real[i] = new boolean[row.length];
      for (int j = 0; j < row.length; j++) {
        int number = row[j];
        if (number != 0 && number != 1) {
          throw Checks.unexpected("mask[" + i + "][" + j + "]", number, "0 or 1");
        }
        real[i][j] = number == 1;
      }
    }
    return of(Checks.notNull("order", order).maskLengths(real));
  }

  /**
   * Takes the lengths from padded tokens, of which one stands for padding and nothing else, as Keras has it with {@code
   * mask_zero}.
   *
   * @param tokens [sequences][steps] or [steps][sequences], as {@code order} says
   * @param padding the token that is padding; any other is a real step
   * @param order which of the two, and on which side padding is
   * @return the layout; its {@link #lengths()} are those of the padded batch
   * @throws NullPointerException if an argument or a row of the tokens is null
   * @throws IllegalArgumentException as {@link #ofMask(boolean[][], PaddedOrder)}
   */
  public static SequenceLayout ofTokens(int[][] tokens, int padding, PaddedOrder order) {
    int[][] own = Checks.notNull("tokens", tokens).clone();
    boolean[][] real = new boolean[own.length][];
    for (int i = 0; i < real.length; i++) {
      own[i] = Checks.notNull("tokens[" + i + "]", own[i]).clone();
      real[i] = new boolean[own[i].length];
      for (int j = 0; j < real[i].length; j++) {
        real[i][j] = own[i][j] != padding;
      }
    }
    String expected = String.valueOf(padding);
    return of(Checks.notNull("order", order).lengths("tokens", real, expected, (o, i) -> String.valueOf(own[o][i])));
  }

  /**
   * Returns the mask of a padded batch, as Keras has it.
   *
   * @param order how it is laid out
   * @param totalSteps padded steps, at least the longest length
   * @return [sequences][totalSteps] or [totalSteps][sequences]: true for real steps
   * @throws NullPointerException if {@code order} is null
   * @throws IllegalArgumentException if {@code totalSteps} is below the longest length
   */
  public boolean[][] toMask(PaddedOrder order, int totalSteps) {
    checkTotalSteps(order, totalSteps);
    boolean[][] mask = new boolean[order.outer(sequences(), totalSteps)][order.inner(sequences(), totalSteps)];
    for (int b = 0; b < lengths.length; b++) {
      int start = order.start(totalSteps, lengths[b]);
      for (int t = start; t < start + lengths[b]; t++) {
        mask[order.outer(b, t)][order.inner(b, t)] = true;
      }
    }
    return mask;
  }

  /** Checks the shape of a padded batch to be made. */
  void checkTotalSteps(PaddedOrder order, int totalSteps) {
    Checks.notNull("order", order);
    Checks.require(totalSteps >= steps(), "totalSteps", totalSteps, steps() + " or more");
  }

  /**
   * Counts the sequences.
   *
   * @return B, 0 or more
   */
  public int sequences() {
    return lengths.length;
  }

  /**
   * Returns the length of the longest sequence.
   *
   * @return T, 0 or more
   */
  public int steps() {
    return packed.steps();
  }

  /**
   * Counts the rows: the real steps of all sequences.
   *
   * @return N, 0 or more
   */
  public int rows() {
    return packed.rows();
  }

  /**
   * Returns the length of a sequence.
   *
   * @param sequence its index in the caller's order
   * @return its steps, 0 or more
   * @throws IllegalArgumentException if there is no such sequence
   */
  public int length(int sequence) {
    return lengths[Checks.index("sequence", sequence, sequences())];
  }

  /**
   * Returns all lengths.
   *
   * @return a copy, in the caller's order
   */
  public int[] lengths() {
    return lengths.clone();
  }

  /**
   * Returns the packed row of one step.
   *
   * @param sequence the sequence's index in the caller's order
   * @param step the step, from 0
   * @return the row, from 0
   * @throws IllegalArgumentException if there is no such sequence or it has no such step
   */
  public int row(int sequence, int step) {
    Checks.index("step", step, length(sequence));
    return packed.row(sequence, step);
  }

  /**
   * Requires that a batch of this layout is laid out like another one.
   *
   * @param name the batch of this layout
   * @param owner the other one
   * @param expected its layout
   * @throws IllegalArgumentException if they differ; the message names both layouts and the first difference
   * @hidden
   */
  public void requireSame(String name, String owner, SequenceLayout expected) {
    int b = Arrays.mismatch(lengths, expected.lengths);
    if (b < 0) {
      return;
    }
    boolean both = b < Math.min(lengths.length, expected.lengths.length);
    String difference =
        both
            ? "sequence " + b + " has " + lengths[b] + " steps, not " + expected.lengths[b]
            : lengths.length + " sequences, not " + expected.lengths.length;
    throw Checks.unexpected("layout of " + name, this, "that of " + owner + ", " + expected + " (" + difference + ")");
  }

  /**
   * Returns the layout as the kernels take it.
   *
   * @return the order
   * @hidden
   */
  public PackedOrder packed() {
    return packed;
  }

  @Override
  public boolean equals(Object other) {
    return this == other || other instanceof SequenceLayout layout && Arrays.equals(lengths, layout.lengths);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(lengths);
  }

  @Override
  public String toString() {
    String all = Arrays.toString(lengths);
    return "lengths " + (all.length() <= 60 ? all : all.substring(0, 57) + "...");
  }
}
