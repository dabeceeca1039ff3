package dev.unroll.bench.peers;

import dev.unroll.peers.PackedRows;
import dev.unroll.peers.RecurrentCase;
import dev.unroll.peers.RecurrentShape;
import java.util.Set;

/**
 * A batch as libraries without packed sequences take it: [steps, sequences, features], longest sequences first, zeros
 * after their ends. Sequences of equal lengths have no padding.
 */
final class PaddedRows {
  private final PackedRows packed;
  private final long[] batchSizes;

  PaddedRows(RecurrentShape shape) {
    packed = new PackedRows(shape.lengths());
    batchSizes = packed.batchSizes();
  }

  int steps() {
    return batchSizes.length;
  }

  int sequences() {
    return packed.sequences();
  }

  boolean isFull() {
    return batchSizes[batchSizes.length - 1] == sequences();
  }

  /** What a library lacks that does not know the lengths: its final states are those after the padding. */
  Set<String> lacking() {
    return isFull() ? Set.of() : Set.of(RecurrentCase.FINAL_H, RecurrentCase.FINAL_C);
  }

  /** The lengths, longest first. */
  int[] lengths() {
    int[] lengths = new int[sequences()];
    for (long size : batchSizes) {
      for (int b = 0; b < size; b++) {
        lengths[b]++;
      }
    }
    return lengths;
  }

  PackedRows packed() {
    return packed;
  }

  /** Pads rows that stand sequence by sequence in the caller's order. */
  float[] pad(float[] rows, int features) {
    float[] from = packed.pack(rows, features);
    float[] padded = new float[steps() * sequences() * features];
    int start = 0;
    for (int t = 0; t < batchSizes.length; t++) {
      int size = (int) batchSizes[t] * features;
      System.arraycopy(from, start, padded, t * sequences() * features, size);
      start += size;
    }
    return padded;
  }

  /** The reverse of {@link #pad}. */
  float[] unpad(float[] padded, int features) {
    float[] rows = new float[packed.rows() * features];
    int start = 0;
    for (int t = 0; t < batchSizes.length; t++) {
      int size = (int) batchSizes[t] * features;
      System.arraycopy(padded, t * sequences() * features, rows, start, size);
      start += size;
    }
    return packed.unpack(rows, features);
  }

  /** States [sequences, size] in the order of the padded batch. */
  float[] orderState(float[] state, int size) {
    return packed.packState(state, 1, size);
  }

  /** The reverse of {@link #orderState}. */
  float[] restoreState(float[] state, int size) {
    return packed.unpackState(state, new float[state.length], 1, size);
  }
}
