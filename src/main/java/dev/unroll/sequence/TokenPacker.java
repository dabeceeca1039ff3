package dev.unroll.sequence;

import dev.unroll.internal.Checks;
import dev.unroll.internal.MemorySource;
import dev.unroll.internal.PackedOrder;
import java.nio.IntBuffer;
import java.util.Arrays;

/** Makes {@link PackedTokens} of what callers hold; its methods are those of that class. */
final class TokenPacker {
  private final MemorySource source;
  private final int vocabulary;

  TokenPacker(MemorySource source, int vocabulary) {
    this.source = source;
    this.vocabulary = vocabulary;
  }

  PackedTokens nested(int[][] given) {
    int[][] sequences = Checks.notNull("sequences", given).clone();
    int[] lengths = new int[sequences.length];
    for (int b = 0; b < lengths.length; b++) {
      lengths[b] = Checks.notNull("sequences[" + b + "]", sequences[b]).length;
    }
    return pack(lengths, new Nested("sequences", sequences, PaddedOrder.BATCH_FIRST));
  }

  PackedTokens labels(int[] labels) {
    int[] lengths = new int[Checks.notNull("labels", labels).length];
    Arrays.fill(lengths, 1);
    return pack(lengths, new Flat("labels", IntBuffer.wrap(labels), new PackedOrder.Strides(1, 1)));
  }

  PackedTokens padded(int[][] given, int[] givenLengths, PaddedOrder order) {
    int[][] padded = Checks.notNull("padded", given).clone();
    int[] lengths = Checks.notNull("lengths", givenLengths).clone();
    Checks.notNull("order", order).checkNested(padded, lengths);
    return pack(lengths, new Nested("padded", padded, order));
  }

  PackedTokens padded(IntBuffer given, int[] givenLengths, PaddedOrder order) {
    IntBuffer padded = Checks.notNull("padded", given).slice();
    int[] lengths = Checks.notNull("lengths", givenLengths).clone();
    Checks.notNull("order", order);
    int steps = PaddedOrder.checkFlat(padded.remaining(), lengths, 1);
    return pack(lengths, new Flat("padded", padded, order.strides(lengths.length, steps, 1)));
  }

  /** Where tokens come from. */
  private interface Place {
    int token(int sequence, int step);

    String name(int sequence, int step);
  }

  private record Nested(String array, int[][] tokens, PaddedOrder order) implements Place {
    @Override
    public int token(int sequence, int step) {
      return tokens[order.outer(sequence, step)][order.inner(sequence, step)];
    }

    @Override
    public String name(int sequence, int step) {
      return array + "[" + order.outer(sequence, step) + "][" + order.inner(sequence, step) + "]";
    }
  }

  private record Flat(String array, IntBuffer tokens, PackedOrder.Strides strides) implements Place {
    private int index(int sequence, int step) {
      return (int) (sequence * strides.sequence() + step * strides.step());
    }

    @Override
    public int token(int sequence, int step) {
      return tokens.get(index(sequence, step));
    }

    @Override
    public String name(int sequence, int step) {
      return array + "[" + index(sequence, step) + "]";
    }
  }

  /** Reads every token once, so that what is checked is what is packed. */
  private PackedTokens pack(int[] lengths, Place place) {
    Checks.positive("vocabulary", vocabulary);
    SequenceLayout layout = SequenceLayout.of(lengths);
    PackedOrder order = layout.packed();
    int[] packed = new int[layout.rows()];
    for (int b = 0; b < lengths.length; b++) {
      for (int t = 0; t < lengths[b]; t++) {
        int token = place.token(b, t);
        if (token < 0 || token >= vocabulary) {
          Checks.index("token " + place.name(b, t), token, vocabulary);
        }
        packed[order.row(b, t)] = token;
      }
    }
    return PackedTokens.ofRows(source, layout, vocabulary, packed);
  }
}
