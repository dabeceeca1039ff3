package dev.unroll.sequence;

import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.MemoryNative;
import dev.unroll.internal.PackedOrder;
import dev.unroll.internal.SequenceNative;
import java.util.stream.IntStream;

/**
 * Some of the real steps of a batch, as a batch of their own: for losses and metrics that are to ignore steps, such as
 * tokens without a label (PyTorch's {@code ignore_index}) or gaps in measurements. The steps that are selected are real
 * steps like any other, so every loss and metric takes them and their divisors keep their meaning.
 *
 * <pre>{@code
 * StepSelection labelled = StepSelection.without(labels, -100);
 * try (PackedSequence some = labelled.select(scores);
 *     PackedTokens right = PackedTokens.of(labelled.select(labels), classes);
 *     LossGradient loss = crossEntropy.gradient(some, right);
 *     PackedSequence scoresGradient = labelled.spread(loss.gradient())) {
 *   ...
 * }
 * }</pre>
 *
 * <p>Immutable.
 */
public final class StepSelection {
  private final SequenceLayout layout;
  private final SequenceLayout selected;
  private final int[] rows; // of the layout, for every row of the selected ones

  private StepSelection(SequenceLayout layout, SequenceLayout selected, int[] rows) {
    this.layout = layout;
    this.selected = selected;
    this.rows = rows;
  }

  /** Whether a step is selected. */
  private interface Choice {
    boolean includes(int sequence, int step);
  }

  /**
   * Selects steps.
   *
   * @param selected [sequences][steps], for every real step whether it is selected; {@link
   *     PaddedOrder#unpad(boolean[][], int[])} has them of a padded batch
   * @return the selection, for batches of these lengths
   * @throws NullPointerException if {@code selected} or a sequence is null
   */
  public static StepSelection of(boolean[][] selected) {
    boolean[][] own = Checks.notNull("selected", selected).clone();
    int[] lengths = new int[own.length];
    for (int b = 0; b < own.length; b++) {
      own[b] = Checks.notNull("selected[" + b + "]", own[b]).clone();
      lengths[b] = own[b].length;
    }
    return choose(SequenceLayout.of(lengths), (b, t) -> own[b][t]);
  }

  /**
   * Selects the steps that have a target.
   *
   * @param targets [sequences][steps]; {@link PaddedOrder#unpad(int[][], int[])} has them of a padded batch
   * @param ignored what stands for no target
   * @return all steps but those
   * @throws NullPointerException if {@code targets} or a sequence is null
   */
  public static StepSelection without(int[][] targets, int ignored) {
    int[][] own = Checks.notNull("targets", targets).clone();
    int[] lengths = new int[own.length];
    for (int b = 0; b < own.length; b++) {
      own[b] = Checks.notNull("targets[" + b + "]", own[b]).clone();
      lengths[b] = own[b].length;
    }
    return choose(SequenceLayout.of(lengths), (b, t) -> own[b][t] != ignored);
  }

  /**
   * Selects a window of time: of every sequence the steps that are within, which may be none. Truncated back-propagation
   * through time takes a batch of long sequences window by window and hands the final state on.
   *
   * @param layout of the batches to select from
   * @param from the first step, 0 or more
   * @param to the step after the last, at least {@code from}; sequences may be shorter
   * @return the selection
   * @throws NullPointerException if {@code layout} is null
   * @throws IllegalArgumentException if {@code from} is negative or {@code to} below it
   */
  public static StepSelection window(SequenceLayout layout, int from, int to) {
    Checks.notNegative("from", from);
    Checks.require(to >= from, "to", to, from + " or more");
    int[] lengths = Checks.notNull("layout", layout).lengths();
    for (int b = 0; b < lengths.length; b++) {
      lengths[b] = Math.max(0, Math.min(lengths[b], to) - from);
    }
    return of(layout, SequenceLayout.of(lengths), (b, t) -> layout.row(b, from + t));
  }

  /**
   * Selects whole sequences: those that are to be labelled by hand, those of an ensemble's member, the beams of a search
   * that go on.
   *
   * @param layout of the batches to select from
   * @param sequences indices in the order of the selection; one that comes several times is there several times, and
   *     {@link #spread} adds its steps up
   * @return all steps of these sequences
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if there is no such sequence; the message says where
   */
  public static StepSelection ofSequences(SequenceLayout layout, int... sequences) {
    Checks.notNull("layout", layout);
    int[] own = Checks.notNull("sequences", sequences).clone();
    Checks.indices("sequences", own, layout.sequences());
    int[] lengths = IntStream.of(own).map(layout::length).toArray();
    return of(layout, SequenceLayout.of(lengths), (b, t) -> layout.row(own[b], t));
  }

  private static StepSelection choose(SequenceLayout layout, Choice choice) {
    int[][] steps = new int[layout.sequences()][];
    int[] lengths = new int[steps.length];
    for (int b = 0; b < steps.length; b++) {
      steps[b] = new int[layout.length(b)];
      for (int t = 0; t < steps[b].length; t++) {
        if (choice.includes(b, t)) {
          steps[b][lengths[b]++] = t;
        }
      }
    }
    return of(layout, SequenceLayout.of(lengths), (b, t) -> layout.row(b, steps[b][t]));
  }

  /** All steps, each sequence backwards. */
  static StepSelection reversed(SequenceLayout layout) {
    int[] lengths = layout.lengths();
    return of(layout, layout, (b, t) -> layout.row(b, lengths[b] - 1 - t));
  }

  /** The row of the batch that becomes a step of the selection. */
  private interface Origin {
    int row(int sequence, int step);
  }

  private static StepSelection of(SequenceLayout layout, SequenceLayout selected, Origin origin) {
    int[] rows = new int[selected.rows()];
    PackedOrder order = selected.packed();
    for (int t = 0; t < order.steps(); t++) {
      for (int p = 0; p < order.rows(t); p++) {
        int sequence = order.sequence(p);
        rows[order.row(sequence, t)] = origin.row(sequence, t);
      }
    }
    return new StepSelection(layout, selected, rows);
  }

  /**
   * Returns the layout of the batches to select from.
   *
   * @return the layout
   */
  public SequenceLayout layout() {
    return layout;
  }

  /**
   * Returns the layout of the selected steps.
   *
   * @return the sequences, with as many steps as are selected of each; if whole ones were selected, these
   */
  public SequenceLayout selected() {
    return selected;
  }

  /**
   * Takes the selected steps out of a batch.
   *
   * @param batch a batch of {@link #layout()}
   * @return a batch of {@link #selected()}; close it to free its memory
   * @throws NullPointerException if {@code batch} is null
   * @throws IllegalArgumentException if its layout is another one
   * @throws IllegalStateException if it is closed
   */
  public PackedSequence select(PackedSequence batch) {
    Checks.notNull("batch", batch).layout().requireSame("batch", "the selection", layout);
    try (Lease lease = new Lease()) {
      long from = batch.address(lease);
      PackedSequence result = lease.result(PackedSequence.allocate(batch.source(), selected, batch.features()));
      long to = result.address(lease);
      SequenceNative.embeddingForward(rows.length, batch.features(), indices(lease, batch), from, to);
      return lease.done(result);
    }
  }

  /**
   * Takes the selected steps out of a batch of tokens or labels.
   *
   * @param batch a batch of {@link #layout()}
   * @return a batch of {@link #selected()}; close it to free its memory
   * @throws NullPointerException if {@code batch} is null
   * @throws IllegalArgumentException if its layout is another one
   * @throws IllegalStateException if it is closed
   */
  public PackedTokens select(PackedTokens batch) {
    Checks.notNull("batch", batch).layout().requireSame("batch", "the selection", layout);
    int[] from = batch.rows();
    int[] tokens = IntStream.of(rows).map(row -> from[row]).toArray();
    return PackedTokens.ofRows(batch.source(), selected, batch.vocabulary(), tokens);
  }

  /**
   * Takes the selected steps out of tokens or labels that are not packed, those that stand for none included.
   *
   * @param tokens [sequences][steps], of the lengths of {@link #layout()}
   * @return [sequences of {@link #selected()}][selected steps]
   * @throws NullPointerException if {@code tokens} or a sequence is null
   * @throws IllegalArgumentException if their lengths are others
   */
  public int[][] select(int[][] tokens) {
    int[][] own = Checks.notNull("tokens", tokens).clone();
    int[] lengths = new int[own.length];
    int[] flat = new int[layout.rows()];
    for (int b = 0; b < own.length; b++) {
      lengths[b] = Checks.notNull("tokens[" + b + "]", own[b]).length;
    }
    SequenceLayout.of(lengths).requireSame("tokens", "the selection", layout);
    for (int b = 0; b < own.length; b++) {
      for (int t = 0; t < lengths[b]; t++) {
        flat[layout.packed().row(b, t)] = own[b][t];
      }
    }
    int[][] result = new int[selected.sequences()][];
    for (int b = 0; b < result.length; b++) {
      result[b] = new int[selected.length(b)];
      for (int t = 0; t < result[b].length; t++) {
        result[b][t] = flat[rows[selected.packed().row(b, t)]];
      }
    }
    return result;
  }

  /**
   * The opposite of {@link #select(PackedSequence)}: puts steps back to where they were selected from.
   *
   * @param some a batch of {@link #selected()}, for example a gradient
   * @return a batch of {@link #layout()}, zero where nothing was selected; close it to free its memory. As in all
   *     arithmetic, denormal numbers become zero
   * @throws NullPointerException if {@code some} is null
   * @throws IllegalArgumentException if its layout is another one
   * @throws IllegalStateException if it is closed
   */
  public PackedSequence spread(PackedSequence some) {
    Checks.notNull("some", some).layout().requireSame("some", "the selection", selected);
    try (Lease lease = new Lease()) {
      long from = some.address(lease);
      PackedSequence result = lease.result(PackedSequence.allocate(some.source(), layout, some.features()));
      long to = result.address(lease);
      MemoryNative.clear(to, (long) layout.rows() * some.features() * Float.BYTES);
      SequenceNative.embeddingBackward(rows.length, some.features(), indices(lease, some), from, 0, to);
      return lease.done(result);
    }
  }

  /** The rows where the kernels of embeddings, which gather and scatter rows, look for tokens. */
  private long indices(Lease lease, PackedSequence batch) {
    long indices = lease.temporary(batch.source(), (long) rows.length * Integer.BYTES);
    MemoryNative.putInts(indices, rows, 0, rows.length);
    return indices;
  }

  @Override
  public String toString() {
    return "StepSelection(" + selected + " of " + layout + ")";
  }
}
