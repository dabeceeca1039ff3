package dev.unroll.golden;

import dev.unroll.sequence.PackedSequence;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Numbers that depend on their purpose and the sequence alone; java.util.Random's are the same on every JVM. */
final class Data {
  private static final int[] LENGTHS =
      IntStream.concat(Arrays.stream(GoldenModel.LENGTHS), Arrays.stream(GoldenModel.OTHERS)).toArray();

  private Data() {}

  static int length(int sequence) {
    return LENGTHS[sequence];
  }

  /** Uniform in [-1, 1). */
  static float[] vector(int size, int purpose, int sequence, int part) {
    Random random = random(purpose, sequence, part);
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = random.nextFloat() * 2 - 1;
    }
    return values;
  }

  static int[] tokens(int sequence, int vocabulary, int purpose) {
    return random(purpose, sequence, 0).ints(LENGTHS[sequence], 0, vocabulary).toArray();
  }

  private static Random random(int purpose, int sequence, int part) {
    return new Random(purpose * 1_000_003L + sequence * 1009L + part);
  }

  static PackedSequence batch(List<Integer> which, int features, int purpose) {
    float[][] flat = new float[which.size()][];
    for (int b = 0; b < flat.length; b++) {
      flat[b] = vector(LENGTHS[which.get(b)] * features, purpose, which.get(b), 0);
    }
    return PackedSequence.ofFlat(flat, features);
  }

  static float[][] join(float[][]... parts) {
    return Stream.of(parts).flatMap(Stream::of).toArray(float[][]::new);
  }
}
