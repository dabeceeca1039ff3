package dev.unroll.sequence;

import dev.unroll.internal.Checks;
import dev.unroll.internal.MemorySource;
import dev.unroll.internal.PackedOrder;
import dev.unroll.internal.StepPlaces;
import java.nio.IntBuffer;
import java.util.Arrays;

/** The numbers of the real steps of what callers hold, any of which another thread may change until it is read. */
final class GivenTokens {
  private final int[] lengths;
  private final Place place;

  private GivenTokens(int[] lengths, Place place) {
    this.lengths = lengths;
    this.place = place;
  }

  static GivenTokens sequences(int[][] given) {
    int[][] sequences = Checks.notNull("sequences", given).clone();
    int[] lengths = new int[sequences.length];
    for (int b = 0; b < lengths.length; b++) {
      lengths[b] = Checks.notNull("sequences[" + b + "]", sequences[b]).length;
    }
    return new GivenTokens(
        lengths, new Nested("sequences", sequences, PaddedOrder.BATCH_FIRST, new int[lengths.length]));
  }

  static GivenTokens labels(int[] labels) {
    int[] lengths = new int[Checks.notNull("labels", labels).length];
    Arrays.fill(lengths, 1);
    StepPlaces places = PaddedOrder.BATCH_FIRST.places(lengths, 1, 1);
    return new GivenTokens(lengths, new Flat("labels", IntBuffer.wrap(labels), places));
  }

  static GivenTokens padded(int[][] given, int[] givenLengths, PaddedOrder order) {
    int[][] padded = Checks.notNull("padded", given).clone();
    int[] lengths = Checks.notNull("lengths", givenLengths).clone();
    int[] starts = Checks.notNull("order", order).checkNested(padded, lengths);
    return new GivenTokens(lengths, new Nested("padded", padded, order, starts));
  }

  static GivenTokens padded(int[] padded, int[] lengths, PaddedOrder order) {
    return padded(IntBuffer.wrap(Checks.notNull("padded", padded)), lengths, order);
  }

  static GivenTokens padded(IntBuffer given, int[] givenLengths, PaddedOrder order) {
    IntBuffer padded = Checks.notNull("padded", given).slice();
    int[] lengths = Checks.notNull("lengths", givenLengths).clone();
    StepPlaces places = Checks.notNull("order", order).checkFlat(padded.remaining(), lengths, 1);
    return new GivenTokens(lengths, new Flat("padded", padded, places));
  }

  static GivenTokens concatenated(IntBuffer given, int[] givenLengths) {
    IntBuffer tokens = Checks.notNull("tokens", given).slice();
    int[] lengths = Checks.notNull("lengths", givenLengths).clone();
    StepPlaces places = Concatenation.checked("tokens", tokens.remaining(), lengths, 1);
    return new GivenTokens(lengths, new Flat("tokens", tokens, places));
  }

  /** Where the number of a real step is. */
  private interface Place {
    int token(int sequence, int step);

    String name(int sequence, int step);
  }

  private record Nested(String array, int[][] tokens, PaddedOrder order, int[] starts) implements Place {
    @Override
    public int token(int sequence, int step) {
      int padded = starts[sequence] + step;
      return tokens[order.outer(sequence, padded)][order.inner(sequence, padded)];
    }

    @Override
    public String name(int sequence, int step) {
      return array + order.indices(sequence, starts[sequence] + step);
    }
  }

  private record Flat(String array, IntBuffer tokens, StepPlaces places) implements Place {
    @Override
    public int token(int sequence, int step) {
      return tokens.get(places.index(sequence, step));
    }

    @Override
    public String name(int sequence, int step) {
      return array + "[" + places.index(sequence, step) + "]";
    }
  }

  int[][] toArrays() {
    int[][] sequences = new int[lengths.length][];
    for (int b = 0; b < lengths.length; b++) {
      sequences[b] = new int[lengths[b]];
      for (int t = 0; t < lengths[b]; t++) {
        sequences[b][t] = place.token(b, t);
      }
    }
    return sequences;
  }

  /** Reads every token once, so that what is checked is what is packed. */
  PackedTokens pack(MemorySource source, int vocabulary) {
    Checks.positive("vocabulary", vocabulary);
    SequenceLayout layout = SequenceLayout.of(lengths);
    PackedOrder order = layout.packed();
    int[] packed = new int[layout.rows()];
    for (int b = 0; b < lengths.length; b++) {
      for (int t = 0; t < lengths[b]; t++) {
        int token = place.token(b, t);
        if (token < 0 || token >= vocabulary) {
          String expected = "at least 0 and below " + vocabulary;
          String hint = token < 0 ? "; steps without a label are left out by StepSelection.without" : "";
          throw Checks.unexpected("token " + place.name(b, t), token, expected + hint);
        }
        packed[order.row(b, t)] = token;
      }
    }
    return PackedTokens.ofRows(source, layout, vocabulary, packed);
  }
}
