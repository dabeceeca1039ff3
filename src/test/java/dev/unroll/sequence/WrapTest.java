package dev.unroll.sequence;

import static dev.unroll.Expect.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.unroll.Expect;
import dev.unroll.Unroll;
import dev.unroll.Workspace;
import dev.unroll.layer.Lstm;
import dev.unroll.layer.RecurrentOutput;
import java.lang.reflect.InvocationTargetException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.EnumSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Packed rows of the caller are used where they are, if they cannot go away. */
class WrapTest {
  private static final SequenceLayout LAYOUT = SequenceLayout.of(1, 2);
  private static final float[] ROWS = {1, 2, 3, 4, 5, 6}; // sequence 1, sequence 0, sequence 1 again
  private static final float[][][] SEQUENCES = {{{3, 4}}, {{1, 2}, {5, 6}}};

  @ParameterizedTest
  @EnumSource(names = {"DIRECT", "DIRECT_MIDDLE"})
  void memoryOfTheJvmIsUsedInPlace(BufferKind kind) {
    FloatBuffer rows = kind.holding(ROWS);
    long before = Unroll.liveBytes();
    try (PackedSequence batch = PackedSequence.wrap(rows.asReadOnlyBuffer(), LAYOUT, 2)) {
      assertEquals(0, Math.max(0, Unroll.liveBytes() - before));
      Expect.sameBits(SEQUENCES, batch.toArrays());
      rows.put(rows.position() + 2, 9);
      assertEquals(9, batch.step(0, 0)[0]);
    }
    assertEquals(9, rows.get(rows.position() + 2));
  }

  @ParameterizedTest
  @EnumSource
  void everyOtherKindIsRefusedAndCopiedInstead(BufferKind kind) {
    assumeTrue(!EnumSet.of(BufferKind.DIRECT, BufferKind.DIRECT_MIDDLE).contains(kind));
    FloatBuffer rows = kind.holding(ROWS);
    refused(
        IllegalArgumentException.class,
        () -> PackedSequence.wrap(rows, LAYOUT, 2),
        "rows is a buffer",
        "allocateDirect");
    try (PackedSequence batch = PackedSequence.ofPacked(rows, LAYOUT, 2)) {
      Expect.sameBits(SEQUENCES, batch.toArrays());
    }
  }

  @Test
  void wrongSizesAreRefused() {
    FloatBuffer rows = BufferKind.DIRECT.holding(ROWS);
    Class<IllegalArgumentException> type = IllegalArgumentException.class;
    refused(type, () -> PackedSequence.wrap(rows, LAYOUT, 3), "size of rows is 6: expected 9");
    refused(type, () -> PackedSequence.wrap(rows, LAYOUT, 0), "features is 0");
    refused(type, () -> PackedSequence.ofPacked(rows, LAYOUT, 1), "size of rows is 6: expected 3");
    refused(NullPointerException.class, () -> PackedSequence.wrap(null, LAYOUT, 2), "rows is null");
    refused(NullPointerException.class, () -> PackedSequence.wrap(rows, null, 2), "layout is null");
    refused(NullPointerException.class, () -> PackedSequence.wrap(null, rows, LAYOUT, 2), "workspace is null");
  }

  @Test
  void layersTakeWrappedRowsAndResultsLiveInTheWorkspace() {
    float[][] expected;
    try (Lstm lstm = Lstm.builder(2, 5).build();
        PackedSequence copied = PackedSequence.of(SEQUENCES, 2);
        RecurrentOutput fromCopy = lstm.forward(copied)) {
      expected = fromCopy.outputs().toFlatArrays();
      Workspace workspace = new Workspace();
      PackedSequence batch = PackedSequence.wrap(workspace, BufferKind.DIRECT.holding(ROWS), LAYOUT, 2);
      try (RecurrentOutput output = lstm.forward(batch)) {
        Expect.sameBits(expected, output.outputs().toFlatArrays());
      }
      workspace.close();
      refused(IllegalStateException.class, () -> lstm.forward(batch), "Workspace is closed");
      batch.close();
      refused(IllegalStateException.class, batch::toArrays, "PackedSequence is closed");
    }
  }

  @Test
  void bufferIsKeptWhileTheBatchLives() {
    int size = 1 << 20;
    PackedSequence batch = wrapNewBuffer(size);
    for (int round = 0; round < 20; round++) {
      System.gc();
      wrapNewBuffer(size).close(); // would get the memory of a freed buffer
    }
    assertEquals(7, batch.step(0, size - 1)[0]);
    batch.close();
  }

  private static PackedSequence wrapNewBuffer(int size) {
    FloatBuffer rows = BufferKind.DIRECT.allocate(size);
    rows.put(size - 1, 7);
    PackedSequence batch = PackedSequence.wrap(rows, SequenceLayout.of(size), 1);
    return batch;
  }

  /** Java 22 and later: an arena can be closed while its buffers are reachable. */
  @Test
  void memoryOfAnArenaIsRefusedAndNoticedOnceClosed() throws ReflectiveOperationException {
    assumeTrue(Runtime.version().feature() >= 22, "this Java has no arenas");
    Class<?> arenas = Class.forName("java.lang.foreign.Arena");
    AutoCloseable arena = (AutoCloseable) arenas.getMethod("ofShared").invoke(null);
    Object segment = arenas.getMethod("allocate", long.class, long.class).invoke(arena, 24L, 64L);
    ByteBuffer bytes =
        (ByteBuffer) Class.forName("java.lang.foreign.MemorySegment").getMethod("asByteBuffer").invoke(segment);
    FloatBuffer rows = bytes.order(ByteOrder.nativeOrder()).slice().order(ByteOrder.nativeOrder()).asFloatBuffer();
    rows.duplicate().put(ROWS);
    refused(
        IllegalArgumentException.class, () -> PackedSequence.wrap(rows, LAYOUT, 2), "memory that may go away");
    try (PackedSequence batch = PackedSequence.ofPacked(rows, LAYOUT, 2)) {
      Expect.sameBits(SEQUENCES, batch.toArrays());
      close(arena);
      assertThrows(IllegalStateException.class, () -> batch.toPacked(rows));
    }
    assertThrows(IllegalStateException.class, () -> PackedSequence.ofPacked(rows, LAYOUT, 2));
    assertThrows(
        IllegalStateException.class,
        () -> PackedSequence.ofPadded(rows.slice(0, 4), new int[] {1, 1}, PaddedOrder.BATCH_FIRST, 2));
  }

  private static void close(AutoCloseable arena) throws InvocationTargetException {
    try {
      arena.close();
    } catch (Exception e) {
      throw new InvocationTargetException(e);
    }
  }
}
