package dev.unroll.bench.peers;

import dev.unroll.Workspace;
import dev.unroll.bench.PackingWorkload;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PaddedOrder;
import dev.unroll.sequence.SequenceLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Map;

/** Packs a batch and takes it apart again, into what is there if the form allows it, else into new arrays. */
final class UnrollPacking implements Subject {
  private final Workspace workspace = new Workspace();
  private final int[] lengths;
  private final int steps;
  private final int features;
  private final Runnable work;

  UnrollPacking(PackingWorkload workload) {
    lengths = workload.lengths();
    steps = SequenceLayout.of(lengths).steps();
    features = workload.features();
    work =
        switch (workload.form()) {
          case BUFFER -> buffer();
          case ARRAY -> array();
          case SEQUENCES -> sequences();
          case STEPS -> steps();
        };
  }

  private Runnable buffer() {
    int bytes = lengths.length * steps * features * Float.BYTES;
    FloatBuffer padded = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder()).asFloatBuffer();
    return () -> {
      try (PackedSequence batch =
          PackedSequence.ofPadded(workspace, padded, lengths, PaddedOrder.BATCH_FIRST, features)) {
        batch.toPadded(padded, PaddedOrder.BATCH_FIRST, steps, 0);
      }
    };
  }

  private Runnable array() {
    float[] padded = new float[lengths.length * steps * features];
    return () -> {
      try (PackedSequence batch =
          PackedSequence.ofPadded(workspace, padded, lengths, PaddedOrder.BATCH_FIRST, features)) {
        batch.toPadded(padded, PaddedOrder.BATCH_FIRST, steps, 0);
      }
    };
  }

  private Runnable sequences() {
    float[][] flat = Arrays.stream(lengths).mapToObj(length -> new float[length * features]).toArray(float[][]::new);
    return () -> {
      try (PackedSequence batch = PackedSequence.ofFlat(workspace, flat, features)) {
        batch.toFlatArrays();
      }
    };
  }

  private Runnable steps() {
    float[][][] nested =
        Arrays.stream(lengths).mapToObj(length -> new float[length][features]).toArray(float[][][]::new);
    return () -> {
      try (PackedSequence batch = PackedSequence.of(workspace, nested, features)) {
        batch.toArrays();
      }
    };
  }

  @Override
  public void run() {
    work.run();
  }

  @Override
  public Map<String, float[]> results() {
    return Map.of();
  }

  @Override
  public void close() {
    workspace.close();
  }
}
