package dev.unroll.sequence;

import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.MemoryNative;
import dev.unroll.internal.SequenceNative;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/** Puts the sequences of several batches into one, batch after batch. */
final class Joining {
  private Joining() {}

  static PackedSequence join(List<PackedSequence> batches) {
    PackedSequence[] parts = Checks.ownCopy("batches", batches, new PackedSequence[0]);
    Checks.positive("number of batches", parts.length);
    int features = parts[0].features();
    for (int i = 1; i < parts.length; i++) {
      Checks.equal("features of batches[" + i + "]", parts[i].features(), features);
    }
    SequenceLayout[] layouts = layouts(parts, PackedSequence::layout);
    SequenceLayout all = layoutOf(layouts);
    int[] origins = origins(layouts, all);
    try (Lease lease = new Lease()) {
      PackedSequence joined = lease.result(PackedSequence.allocate(parts[0].source(), all, features));
      long rowBytes = (long) features * Float.BYTES;
      long side = lease.temporary(parts[0].source(), all.rows() * rowBytes);
      long to = side;
      for (PackedSequence part : parts) {
        long bytes = part.layout().rows() * rowBytes;
        MemoryNative.copy(part.address(lease), to, bytes);
        to += bytes;
      }
      long indices = lease.temporary(parts[0].source(), (long) origins.length * Integer.BYTES);
      MemoryNative.putInts(indices, origins, 0, origins.length);
      SequenceNative.embeddingForward(origins.length, features, indices, side, joined.address(lease));
      return lease.done(joined);
    }
  }

  static PackedTokens joinTokens(List<PackedTokens> batches) {
    PackedTokens[] parts = Checks.ownCopy("batches", batches, new PackedTokens[0]);
    Checks.positive("number of batches", parts.length);
    int vocabulary = parts[0].vocabulary();
    for (int i = 1; i < parts.length; i++) {
      Checks.equal("vocabulary of batches[" + i + "]", parts[i].vocabulary(), vocabulary);
    }
    SequenceLayout[] layouts = layouts(parts, PackedTokens::layout);
    SequenceLayout all = layoutOf(layouts);
    int[] side = Arrays.stream(parts).map(PackedTokens::rows).flatMapToInt(Arrays::stream).toArray();
    int[] rows = Arrays.stream(origins(layouts, all)).map(r -> side[r]).toArray();
    return PackedTokens.ofRows(parts[0].source(), all, vocabulary, rows);
  }

  private static <T> SequenceLayout[] layouts(T[] parts, Function<T, SequenceLayout> layoutOf) {
    return Arrays.stream(parts).map(layoutOf).toArray(SequenceLayout[]::new);
  }

  private static SequenceLayout layoutOf(SequenceLayout[] layouts) {
    return SequenceLayout.of(Arrays.stream(layouts).flatMapToInt(l -> Arrays.stream(l.lengths())).toArray());
  }

  /** For every row of all where it is if the rows of the parts follow each other. */
  private static int[] origins(SequenceLayout[] layouts, SequenceLayout all) {
    int[] origins = new int[all.rows()];
    int sequence = 0;
    int before = 0;
    for (SequenceLayout part : layouts) {
      for (int b = 0; b < part.sequences(); b++, sequence++) {
        for (int t = 0; t < part.length(b); t++) {
          origins[all.packed().row(sequence, t)] = before + part.packed().row(b, t);
        }
      }
      before += part.rows();
    }
    return origins;
  }
}
