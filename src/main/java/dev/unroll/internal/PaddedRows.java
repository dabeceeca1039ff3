package dev.unroll.internal;

import java.nio.FloatBuffer;
import java.util.Arrays;

/** Packs and unpacks padded batches in buffers of any kind by their own methods, which notice if their memory is gone. */
final class PaddedRows {
  private final PackedOrder order;
  private final PaddedShape shape;
  private final FloatBuffer padded;
  private final int begin;

  /**
   * Takes a buffer.
   *
   * @param padded the batch begins at its position
   */
  PaddedRows(PackedOrder order, PaddedShape shape, FloatBuffer padded) {
    this.order = order;
    this.shape = shape;
    this.padded = padded;
    begin = padded.position();
  }

  private int length(int sequence) {
    return order.length(order.position(sequence));
  }

  private int index(int sequence, int paddedStep) {
    return begin + shape.index(sequence, paddedStep);
  }

  void pack(int features, long packed) {
    RowMover.Place place =
        (b, first, steps, rows) -> {
          int start = shape.start(length(b));
          for (int t = first; t < first + steps; t++) {
            rows.put(t, padded, index(b, start + t));
          }
        };
    RowMover.pack(order, features, packed, place);
  }

  void unpack(int features, long packed, float padding) {
    RowMover.Place place =
        (b, first, steps, rows) -> {
          int start = shape.start(length(b));
          for (int t = first; t < first + steps; t++) {
            rows.get(t, padded, index(b, start + t));
          }
        };
    RowMover.unpack(order, features, packed, place);
    float[] filler = new float[features];
    Arrays.fill(filler, padding);
    for (int b = 0; b < order.sequences(); b++) {
      int length = length(b);
      int first = shape.leftPadded() ? 0 : length;
      for (int t = first; t < first + shape.totalSteps() - length; t++) {
        padded.put(index(b, t), filler, 0, features);
      }
    }
  }
}
