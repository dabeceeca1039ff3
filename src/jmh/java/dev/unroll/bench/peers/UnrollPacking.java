package dev.unroll.bench.peers;

import dev.unroll.Workspace;
import dev.unroll.bench.work.PackingWorkload;
import dev.unroll.bench.work.Subject;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PaddedOrder;
import dev.unroll.sequence.SequenceLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Packs a batch, takes one apart or both: into what it came from, unless the form says new arrays. */
final class UnrollPacking implements Subject {
  private final Workspace workspace = new Workspace();
  private final int[] lengths;
  private final int steps;
  private final int features;
  private final PackedSequence packed;
  private final Runnable work;

  /** How a form goes in and comes out. */
  private record Ways(Supplier<PackedSequence> pack, Consumer<PackedSequence> unpack) {}

  UnrollPacking(PackingWorkload workload) {
    lengths = workload.lengths();
    SequenceLayout layout = SequenceLayout.of(lengths);
    steps = layout.steps();
    features = workload.features();
    boolean copies = workload.task() == PackingWorkload.Task.COPY;
    Ways ways = copies ? null : ways(workload.form());
    packed = workload.task() == PackingWorkload.Task.UNPACK ? ways.pack.get() : null;
    work =
        switch (workload.task()) {
          case BOTH -> () -> {
            try (PackedSequence batch = ways.pack.get()) {
              ways.unpack.accept(batch);
            }
          };
          case PACK -> () -> ways.pack.get().close();
          case UNPACK -> () -> ways.unpack.accept(packed);
          case COPY -> copy(workload.form(), layout.rows() * features);
        };
  }

  private static Runnable copy(PackingWorkload.Form form, int size) {
    if (form == PackingWorkload.Form.BUFFER) {
      FloatBuffer from = direct(size);
      FloatBuffer to = direct(size);
      return () -> to.duplicate().put(from.duplicate());
    }
    float[] from = new float[size];
    float[] to = new float[size];
    return () -> System.arraycopy(from, 0, to, 0, size);
  }

  private static FloatBuffer direct(int size) {
    return ByteBuffer.allocateDirect(size * Float.BYTES).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }

  private Ways ways(PackingWorkload.Form form) {
    return switch (form) {
      case BUFFER -> buffer();
      case ARRAY -> array();
      case SEQUENCES -> sequences(false);
      case NEW_SEQUENCES -> sequences(true);
      case STEPS -> steps(false);
      case NEW_STEPS -> steps(true);
    };
  }

  private Ways buffer() {
    FloatBuffer padded = direct(lengths.length * steps * features);
    return new Ways(
        () -> PackedSequence.ofPadded(workspace, padded, lengths, PaddedOrder.BATCH_FIRST, features),
        batch -> batch.toPadded(padded, PaddedOrder.BATCH_FIRST, steps, 0));
  }

  private Ways array() {
    float[] padded = new float[lengths.length * steps * features];
    return new Ways(
        () -> PackedSequence.ofPadded(workspace, padded, lengths, PaddedOrder.BATCH_FIRST, features),
        batch -> batch.toPadded(padded, PaddedOrder.BATCH_FIRST, steps, 0));
  }

  private Ways sequences(boolean unpackedAnew) {
    float[][] flat = Arrays.stream(lengths).mapToObj(length -> new float[length * features]).toArray(float[][]::new);
    return new Ways(
        () -> PackedSequence.ofFlat(workspace, flat, features),
        unpackedAnew ? PackedSequence::toFlatArrays : batch -> batch.toFlatArrays(flat));
  }

  private Ways steps(boolean unpackedAnew) {
    float[][][] nested =
        Arrays.stream(lengths).mapToObj(length -> new float[length][features]).toArray(float[][][]::new);
    return new Ways(
        () -> PackedSequence.of(workspace, nested, features),
        unpackedAnew ? PackedSequence::toArrays : batch -> batch.toArrays(nested));
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
    if (packed != null) {
      packed.close();
    }
    workspace.close();
  }
}
