package dev.unroll.golden;

import java.util.List;

/** A model with fixed weights, a batch and gradients of its outputs, whose results are always the same bits. */
interface GoldenModel {
  /** Some of them equal; their sum makes threads share the work. */
  int[] LENGTHS = {30, 0, 41, 1, 9, 30, 9};

  /** Those that a merged batch has beside them. */
  int[] OTHERS = {23, 41, 4};

  /** The name in the table of hashes; no spaces. */
  String name();

  /** Whether the batch may be permuted, split and merged: not if dropout depends on a sequence's place in the batch. */
  boolean keepsSequencesApart();

  /**
   * Runs forward and backward.
   *
   * @param which the indices of the batch's sequences, among {@link #LENGTHS} and then {@link #OTHERS}
   */
  Results run(List<Integer> which);

  /**
   * What came out.
   *
   * @param perSequence outputs, final states, gradients of input and initial state of every sequence of the batch
   * @param sums what is summed over the sequences: gradients of weights
   */
  record Results(float[][][] perSequence, List<float[]> sums) {}
}
