package dev.unroll.sequence;

import dev.unroll.internal.MemorySource;

/**
 * A vector for every step of a batch, as recurrent layers read them: a {@link PackedSequence} has each step's own,
 * {@link TokenVectors} those of tokens, which many steps share.
 */
public sealed interface StepVectors permits PackedSequence, TokenVectors {
  /**
   * Returns how the steps are laid out.
   *
   * @return the layout
   */
  SequenceLayout layout();

  /**
   * Returns the size of a vector.
   *
   * @return features of every step, 1 or more
   */
  int features();

  /**
   * Tells whether the memory has been freed.
   *
   * @return true after {@code close}
   * @hidden
   */
  boolean isClosed();

  /**
   * Returns where results that belong with this batch take their memory from.
   *
   * @return the source
   * @hidden
   */
  MemorySource source();
}
