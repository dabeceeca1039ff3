package dev.unroll.train;

import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.MemoryNative;
import dev.unroll.internal.RowReader;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import dev.unroll.sequence.SequenceLayout;

/**
 * How often the largest score is that of the target. Counts of several batches add up to those of all; a mean of the
 * batches' values would weigh a step by the batch that it is in.
 *
 * @param right how many were right
 * @param counted how many there were: real steps or sequences, never padding
 */
public record Accuracy(long right, long counted) {
  /**
   * Makes an accuracy of counts.
   *
   * @param right how many were right, from 0 to {@code counted}
   * @param counted how many there were, 0 or more
   * @throws IllegalArgumentException if a count is out of range
   */
  public Accuracy {
    Checks.require(counted >= 0, "counted", counted, "0 or more");
    Checks.require(right >= 0 && right <= counted, "right", right, "0 to counted = " + counted);
  }

  /**
   * Counts steps.
   *
   * @param scores a row of scores, or of probabilities, for every step. Of equal largest scores the first counts; a row
   *     with NaN is wrong
   * @param targets the right token of every step, laid out as the scores; its vocabulary is the scores' feature count
   * @return right steps among all real steps
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the layouts differ, or the feature count from the vocabulary; the message names
   *     both
   * @throws IllegalStateException if an argument is closed
   */
  public static Accuracy overSteps(PackedSequence scores, PackedTokens targets) {
    boolean[] rows = rightRows(scores, targets);
    long right = 0;
    for (boolean row : rows) {
      right += row ? 1 : 0;
    }
    return new Accuracy(right, rows.length);
  }

  /**
   * Counts sequences; one is right if all of its steps are. A sequence without steps has nothing to be right or wrong
   * about and is not counted.
   *
   * @param scores a row of scores, or of probabilities, for every step
   * @param targets the right token of every step, laid out as the scores
   * @return right sequences among all that have a step
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the layouts differ, or the feature count from the vocabulary; the message names
   *     both
   * @throws IllegalStateException if an argument is closed
   */
  public static Accuracy overSequences(PackedSequence scores, PackedTokens targets) {
    boolean[] rows = rightRows(scores, targets);
    SequenceLayout layout = scores.layout();
    long right = 0;
    long counted = 0;
    for (int b = 0; b < layout.sequences(); b++) {
      int rightSteps = 0;
      for (int t = 0; t < layout.length(b); t++) {
        rightSteps += rows[layout.row(b, t)] ? 1 : 0;
      }
      right += layout.length(b) > 0 && rightSteps == layout.length(b) ? 1 : 0;
      counted += layout.length(b) > 0 ? 1 : 0;
    }
    return new Accuracy(right, counted);
  }

  /**
   * Returns the accuracy.
   *
   * @return right / counted, from 0 to 1; NaN if nothing was counted
   */
  public double value() {
    return (double) right / counted;
  }

  /**
   * Adds counts of the same kind.
   *
   * @param other those of another batch
   * @return the counts of both
   * @throws NullPointerException if {@code other} is null
   */
  public Accuracy plus(Accuracy other) {
    Checks.notNull("other", other);
    return new Accuracy(right + other.right, counted + other.counted);
  }

  private static boolean[] rightRows(PackedSequence scores, PackedTokens targets) {
    CrossEntropy.check(scores, targets);
    int columns = scores.features();
    boolean[] right = new boolean[scores.layout().rows()];
    int[] tokens = new int[right.length];
    try (Lease lease = new Lease()) {
      long from = scores.address(lease);
      MemoryNative.getInts(targets.address(lease), tokens, 0, tokens.length);
      RowReader.forEachRow(
          from, right.length, columns, (r, row, start) -> right[r] = isFirstLargest(row, start, columns, tokens[r]));
    }
    return right;
  }

  private static boolean isFirstLargest(float[] rows, int start, int columns, int target) {
    float score = rows[start + target];
    boolean largest = true;
    for (int j = 0; j < columns; j++) {
      float other = rows[start + j];
      largest &= j < target ? other < score : other <= score;
    }
    return largest;
  }

  @Override
  public String toString() {
    return right + " of " + counted + " right";
  }
}
