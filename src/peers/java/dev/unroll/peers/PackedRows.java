package dev.unroll.peers;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * PyTorch's packed order of a batch, found here once more so that ours is tested against it: the sequences that have
 * steps, longest first, all first steps, then all second steps. PyTorch takes no sequence of length 0, so these are
 * left out.
 */
public final class PackedRows {
  private final int[] lengths;
  private final int[] order; // the caller's index of each packed sequence

  public PackedRows(int[] lengths) {
    this.lengths = lengths;
    order =
        IntStream.range(0, lengths.length)
            .filter(b -> lengths[b] > 0)
            .boxed()
            .sorted(Comparator.comparing(b -> -lengths[b]))
            .mapToInt(b -> b)
            .toArray();
  }

  /** How many sequences have steps. */
  public int sequences() {
    return order.length;
  }

  public int rows() {
    return Arrays.stream(lengths).sum();
  }

  /** How many sequences are in each step. */
  public long[] batchSizes() {
    int steps = Arrays.stream(lengths).max().orElse(0);
    return IntStream.range(0, steps).mapToLong(t -> Arrays.stream(lengths).filter(n -> n > t).count()).toArray();
  }

  /** Packs rows that stand sequence by sequence. */
  public float[] pack(float[] rows, int features) {
    float[] packed = new float[rows.length];
    copyRows(rows, packed, features, true);
    return packed;
  }

  /** The reverse of {@link #pack}. */
  public float[] unpack(float[] packed, int features) {
    float[] rows = new float[packed.length];
    copyRows(packed, rows, features, false);
    return rows;
  }

  private void copyRows(float[] from, float[] to, int features, boolean pack) {
    int[] starts = new int[lengths.length + 1];
    for (int b = 0; b < lengths.length; b++) {
      starts[b + 1] = starts[b] + lengths[b];
    }
    int packed = 0;
    for (int t = 0; packed < rows(); t++) {
      for (int b : order) {
        if (t < lengths[b]) {
          int row = starts[b] + t;
          System.arraycopy(from, (pack ? row : packed) * features, to, (pack ? packed : row) * features, features);
          packed++;
        }
      }
    }
  }

  /** Picks the states [entries, sequences, size] of the packed sequences. */
  public float[] packState(float[] state, int entries, int size) {
    float[] packed = new float[entries * order.length * size];
    for (int e = 0; e < entries; e++) {
      for (int p = 0; p < order.length; p++) {
        int from = e * lengths.length + order[p];
        System.arraycopy(state, from * size, packed, (e * order.length + p) * size, size);
      }
    }
    return packed;
  }

  /** Puts the states of the packed sequences into a copy of those of all; sequences of length 0 keep theirs. */
  public float[] unpackState(float[] packed, float[] all, int entries, int size) {
    float[] state = all.clone();
    for (int e = 0; e < entries; e++) {
      for (int p = 0; p < order.length; p++) {
        int to = e * lengths.length + order[p];
        System.arraycopy(packed, (e * order.length + p) * size, state, to * size, size);
      }
    }
    return state;
  }
}
