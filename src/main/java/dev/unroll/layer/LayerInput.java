package dev.unroll.layer;

import dev.unroll.internal.Lease;
import dev.unroll.internal.MemorySource;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import dev.unroll.sequence.SequenceLayout;
import dev.unroll.sequence.StepVectors;
import dev.unroll.sequence.TokenVectors;

/**
 * What the first layer of a stack reads, as the kernels take it.
 *
 * @param layout of the steps
 * @param rows a row for every step, or a table whose rows the steps share
 * @param index the row of the table that every step reads, or null
 */
record LayerInput(SequenceLayout layout, PackedSequence rows, PackedTokens index) {
  static LayerInput of(StepVectors vectors) {
    if (vectors instanceof TokenVectors tokens) {
      return new LayerInput(tokens.layout(), tokens.vectors(), tokens.places());
    }
    return new LayerInput(vectors.layout(), (PackedSequence) vectors, null);
  }

  boolean isByIndex() {
    return index != null;
  }

  /** Rows of the table, 0 if there is none. */
  int tableRows() {
    return isByIndex() ? rows.layout().rows() : 0;
  }

  long indexAddress(Lease lease) {
    return isByIndex() ? index.address(lease) : 0;
  }

  MemorySource source() {
    return rows.source();
  }

  /** The input, which a backward pass reads too. */
  LayerInput open() {
    if (rows.isClosed()) {
      throw new IllegalStateException("input of the forward pass is closed: expected it open until backward");
    }
    return this;
  }
}
