package dev.unroll.golden;

import dev.unroll.golden.GoldenModel.Results;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** How the same sequences are put into batches. */
enum Split {
  /** One batch, in order. */
  WHOLE,
  /** One batch, in another order. */
  PERMUTED,
  /** Three batches, one of them of a single sequence. */
  SPLIT,
  /** One batch with other sequences between them, some as long. */
  MERGED;

  /**
   * Hashes of what a model gives.
   *
   * @param perSequence of what belongs to single sequences
   * @param sums of sums over them, or {@link #NONE} if there are none, or others because of the split
   */
  record Hashes(String perSequence, String sums) {
    static final String NONE = "-";

    @Override
    public String toString() {
      return perSequence + ' ' + sums;
    }
  }

  boolean suits(GoldenModel model) {
    return this == WHOLE || model.keepsSequencesApart();
  }

  private boolean hasTheSums() {
    return this == WHOLE || this == PERMUTED;
  }

  private List<List<Integer>> batches() {
    int count = GoldenModel.LENGTHS.length;
    List<Integer> all = new ArrayList<>(IntStream.range(0, count).boxed().toList());
    switch (this) {
      case PERMUTED -> Collections.shuffle(all, new Random(4));
      case SPLIT -> {
        return List.of(all.subList(0, 2), all.subList(2, 3), all.subList(3, count));
      }
      case MERGED -> {
        for (int other = 0; other < GoldenModel.OTHERS.length; other++) {
          all.add(3 * other, count + other);
        }
      }
      case WHOLE -> {}
    }
    return List.of(all);
  }

  Hashes run(GoldenModel model) {
    float[][][] perSequence = new float[GoldenModel.LENGTHS.length][][];
    List<float[]> sums = List.of();
    for (List<Integer> batch : batches()) {
      Results results = model.run(batch);
      sums = results.sums();
      if (!model.keepsSequencesApart()) {
        perSequence = results.perSequence();
        continue;
      }
      for (int i = 0; i < batch.size(); i++) {
        if (batch.get(i) < perSequence.length) {
          perSequence[batch.get(i)] = results.perSequence()[i];
        }
      }
    }
    Fingerprint ofSequences = new Fingerprint();
    Arrays.stream(perSequence).forEach(ofSequences::add);
    Fingerprint ofSums = new Fingerprint();
    sums.forEach(ofSums::add);
    boolean comparable = hasTheSums() && !sums.isEmpty();
    return new Hashes(ofSequences.toString(), comparable ? ofSums.toString() : Hashes.NONE);
  }
}
