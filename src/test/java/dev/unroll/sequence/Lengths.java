package dev.unroll.sequence;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;

/** Random batches, and the definition of the packed order written down directly. */
final class Lengths {
  private static final int[] SPECIAL = {
    0x00000000, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7fc12345, 0xffc54321, 0x7f800001, 0x00000001,
    0x807fffff
  };

  private Lengths() {}

  /** Lengths 0 to 40 in any order, of 0 to 12 sequences. */
  static Arbitrary<int[]> arbitrary() {
    return Arbitraries.integers().between(0, 40).array(int[].class).ofMaxSize(12);
  }

  /** A {sequence, step} pair for every packed row: time-major, length-descending, stable. */
  static List<int[]> packedOrder(int[] lengths) {
    List<Integer> longestFirst =
        IntStream.range(0, lengths.length)
            .boxed()
            .sorted(Comparator.comparing((Integer i) -> lengths[i]).reversed().thenComparing(i -> i))
            .toList();
    List<int[]> rows = new ArrayList<>();
    for (int step = 0; step < IntStream.of(lengths).max().orElse(0); step++) {
      for (int sequence : longestFirst) {
        if (step < lengths[sequence]) {
          rows.add(new int[] {sequence, step});
        }
      }
    }
    return rows;
  }

  /** Values of any bits: infinities, NaN with payloads, both zeros and denormals are frequent. */
  static float[][][] values(int[] lengths, int features) {
    Random random = new Random(31L * Arrays.hashCode(lengths) + features);
    float[][][] sequences = new float[lengths.length][][];
    for (int i = 0; i < lengths.length; i++) {
      sequences[i] = new float[lengths[i]][features];
      for (float[] step : sequences[i]) {
        for (int j = 0; j < features; j++) {
          int bits = random.nextInt(3) == 0 ? SPECIAL[random.nextInt(SPECIAL.length)] : random.nextInt();
          step[j] = Float.intBitsToFloat(bits);
        }
      }
    }
    return sequences;
  }

  static int[][] tokens(int[] lengths, int vocabulary) {
    Random random = new Random(31L * Arrays.hashCode(lengths) + vocabulary);
    int[][] sequences = new int[lengths.length][];
    for (int i = 0; i < lengths.length; i++) {
      sequences[i] = random.ints(lengths[i], 0, vocabulary).toArray();
    }
    return sequences;
  }
}
