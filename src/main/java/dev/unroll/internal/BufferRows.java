package dev.unroll.internal;

import java.nio.FloatBuffer;
import java.util.Arrays;

/** Packs and unpacks batches in buffers of any kind by their own methods, which notice if their memory is gone. */
final class BufferRows {
  private static final int FLOATS_AT_ONCE = 1 << 13;

  private final PackedOrder order;
  private final StepPlaces places;
  private final FloatBuffer buffer;
  private final int begin;

  /**
   * Takes a buffer.
   *
   * @param buffer the batch is all of it from its position on
   */
  BufferRows(PackedOrder order, StepPlaces places, FloatBuffer buffer) {
    this.order = order;
    this.places = places;
    this.buffer = buffer;
    begin = buffer.position();
  }

  private int index(int sequence, int step) {
    return begin + places.index(sequence, step);
  }

  void pack(int features, long packed) {
    RowMover.Place place =
        (b, first, steps, rows) -> {
          for (int t = first; t < first + steps; t++) {
            rows.put(t, buffer, index(b, t));
          }
        };
    RowMover.pack(order, features, packed, place);
  }

  void unpack(int features, long packed, float padding) {
    if (places.padding() == StepPlaces.Padding.ELSEWHERE) {
      float[] filler = filled(Math.min(buffer.remaining(), FLOATS_AT_ONCE), padding);
      for (int at = begin; at < buffer.limit(); at += filler.length) {
        buffer.put(at, filler, 0, Math.min(filler.length, buffer.limit() - at));
      }
    }
    RowMover.Place place =
        (b, first, steps, rows) -> {
          for (int t = first; t < first + steps; t++) {
            rows.get(t, buffer, index(b, t));
          }
        };
    RowMover.unpack(order, features, packed, place);
    float[] filler = filled(features, padding);
    for (int t = 0; t < places.totalSteps(); t++) {
      for (int p = t < order.steps() ? order.rows(t) : 0; p < order.sequences(); p++) {
        buffer.put(index(order.sequence(p), t), filler, 0, features);
      }
    }
  }

  private static float[] filled(int size, float value) {
    float[] filler = new float[size];
    Arrays.fill(filler, value);
    return filler;
  }
}
