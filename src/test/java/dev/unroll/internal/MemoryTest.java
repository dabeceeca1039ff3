package dev.unroll.internal;

import static dev.unroll.Expect.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.nio.file.Files;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** The life of a block: pinned, closed, given back, forgotten. */
class MemoryTest {
  private static final long IMPOSSIBLE = Long.MAX_VALUE / 2;

  /** Counts what other tests and the Cleaner cannot disturb. */
  private static final class CountingSource implements MemorySource {
    final List<Long> taken = Collections.synchronizedList(new ArrayList<>());
    final List<Long> givenBack = Collections.synchronizedList(new ArrayList<>());

    @Override
    public long take(long bytes) {
      long address = SYSTEM.take(bytes);
      taken.add(address);
      return address;
    }

    @Override
    public void giveBack(long address, long bytes) {
      givenBack.add(address);
      SYSTEM.giveBack(address, bytes);
    }
  }

  private final CountingSource source = new CountingSource();

  @Test
  void freshMemoryIsAlignedZeroedAndCounted() {
    for (long bytes : new long[] {0, 1, 63, 64, 65, 4096, 1 << 20}) {
      try (Memory memory = Memory.zeroed(bytes, "Owner");
          Lease lease = new Lease()) {
        float[] values = new float[(int) (bytes / Float.BYTES)];
        Arrays.fill(values, 1);
        MemoryNative.getFloats(lease.address(memory), values, 0, values.length);

        assertEquals(0, lease.address(memory) % 64);
        assertEquals(bytes, memory.bytes());
        assertArrayEquals(new float[values.length], values);
        assertTrue(NativeHeap.liveBytes() >= bytes);
      }
    }
  }

  @Test
  void closingGivesBackOnceHoweverOften() {
    Memory memory = Memory.from(source, 100, "Owner");
    assertFalse(memory.isClosed());
    memory.close();
    memory.close();
    assertTrue(memory.isClosed());
    assertEquals(source.taken, source.givenBack);
  }

  @Test
  void useAfterCloseIsRefusedAndNamesTheOwner() {
    Memory memory = Memory.from(source, 100, "Some owner");
    memory.close();
    refused(IllegalStateException.class, memory::pin, "Some owner is closed");
    refused(IllegalStateException.class, memory::checkOpen, "Some owner is closed");
    try (Lease lease = new Lease()) {
      refused(IllegalStateException.class, () -> lease.address(memory), "Some owner is closed");
      refused(IllegalStateException.class, () -> lease.addressOrNull(memory), "Some owner is closed");
    }
    assertEquals(1, source.givenBack.size());
  }

  @Test
  void pinKeepsClosedMemoryUntilTheLastUnpin() {
    Memory memory = Memory.from(source, 64, "Owner");
    long address = memory.pin();
    assertEquals(address, memory.pin());
    memory.close();

    assertTrue(memory.isClosed());
    assertEquals(List.of(), source.givenBack);
    float[] values = {1, 2, 3};
    MemoryNative.putFloats(address, values, 0, 3);
    memory.unpin();
    assertEquals(List.of(), source.givenBack);
    assertThrowsExactly(IllegalStateException.class, memory::pin);
    memory.unpin();
    assertEquals(List.of(address), source.givenBack);
  }

  @Test
  void unpinnedMemoryStaysUntilClosed() {
    Memory memory = Memory.from(source, 64, "Owner");
    memory.pin();
    memory.unpin();
    assertEquals(List.of(), source.givenBack);
    memory.close();
    assertEquals(source.taken, source.givenBack);
  }

  @Test
  void leaseReleasesWhatItPinnedThoughAnotherPinFailed() {
    Memory open = Memory.from(source, 64, "Open");
    Memory closed = Memory.from(source, 64, "Closed");
    closed.close();
    try (Lease lease = new Lease()) {
      lease.address(open);
      lease.address(open);
      assertEquals(0, lease.addressOrNull(null));
      refused(IllegalStateException.class, () -> lease.address(closed), "Closed is closed");
      open.close();
      assertEquals(1, source.givenBack.size());
    }
    assertEquals(2, source.givenBack.size());
  }

  @Test
  void manyThreadsPinningWhileOneClosesGiveBackOnce() throws InterruptedException {
    for (int round = 0; round < 50; round++) {
      Memory memory = Memory.from(source, 64, "Owner");
      CountDownLatch start = new CountDownLatch(4);
      List<Thread> threads = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        boolean closes = t == 0;
        Thread thread = new Thread(() -> pinUntilClosed(memory, start, closes));
        thread.start();
        threads.add(thread);
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertEquals(round + 1, source.givenBack.size());
    }
  }

  private static void pinUntilClosed(Memory memory, CountDownLatch start, boolean closes) {
    start.countDown();
    for (int i = 0; i < 10_000 && !memory.isClosed(); i++) {
      try (Lease lease = new Lease()) {
        lease.address(memory);
        if (closes && i == 20) {
          memory.close();
        }
      } catch (IllegalStateException expected) {
        return;
      }
    }
  }

  @Test
  void recyclerHandsTheSameBlockOutAgain() {
    Recycler recycler = new Recycler();
    long first = recycler.take(1000);
    long other = recycler.take(1000);
    assertNotEquals(first, other);
    recycler.giveBack(first, 1000);
    assertEquals(first, recycler.take(900)); // of the same size class
    recycler.giveBack(first, 900);
    assertNotEquals(first, recycler.take(100_000));
    assertEquals(first, recycler.take(1000));
    assertEquals(0, first % 64);
    recycler.close();
  }

  @Test
  void blockIsNeverHandedOutForMoreThanItHas() {
    for (long size = 512; size < 1 << 22; size += Math.max(512, Long.highestOneBit(size) / 8)) {
      Recycler recycler = new Recycler();
      long block = recycler.take(size);
      recycler.giveBack(block, size);
      long larger = recycler.take(size + 1);
      assertNotEquals(block, larger, "of " + size + " bytes");
      assertEquals(block, recycler.take(size - 1)); // and is not lost
      recycler.giveBack(block, size);
      recycler.giveBack(larger, size + 1);
      recycler.close();
    }
  }

  @Test
  void blockThatIsLargerServesTooAndStaysWhatItIs() {
    Recycler recycler = new Recycler();
    long block = recycler.take(8192);
    recycler.giveBack(block, 8192);
    assertEquals(block, recycler.take(5000));
    recycler.giveBack(block, 5000);
    long small = recycler.take(3500);
    assertNotEquals(block, small, "more than twice as large");
    assertEquals(block, recycler.take(8192));
    recycler.giveBack(block, 8192);
    recycler.giveBack(small, 3500);
    recycler.close();
  }

  /** Twice, and an eighth by which sizes are rounded up. */
  @Test
  void recyclerHoldsNoMoreThanTwiceOfWhatWasInUse() {
    Random random = new Random(7);
    Recycler recycler = new Recycler();
    long before = NativeHeap.liveBytes();
    long most = 0;
    for (int round = 0; round < 2000; round++) {
      long bytes = 1 + (long) Math.pow(2, 10 + 12 * random.nextDouble());
      long block = recycler.take(bytes);
      long other = recycler.take(bytes / 3);
      most = Math.max(most, bytes + bytes / 3);
      recycler.giveBack(other, bytes / 3);
      recycler.giveBack(block, bytes);
      long held = NativeHeap.liveBytes() - before;
      assertTrue(held <= 9 * most / 4 + 2048, held + " bytes, " + most + " were in use");
    }
    recycler.close();
  }

  @Test
  void blockOfEverySizeHasRoomForIt() {
    Recycler recycler = new Recycler();
    for (int bytes = 1; bytes < 20_000; bytes += 37) {
      long block = recycler.take(bytes);
      MemoryNative.putFloats(block, new float[bytes / Float.BYTES], 0, bytes / Float.BYTES);
      recycler.giveBack(block, bytes);
    }
    long before = NativeHeap.liveBytes();
    recycler.close();
    assertTrue(NativeHeap.liveBytes() < before);
  }

  @Test
  void closedRecyclerRefusesAndFreesWhatComesBackLate() {
    long before = NativeHeap.liveBytes();
    Recycler recycler = new Recycler();
    Memory late = Memory.from(recycler, 5000, "Owner");
    Memory early = Memory.from(recycler, 5000, "Owner");
    early.close();
    recycler.close();
    recycler.close();

    refused(IllegalStateException.class, () -> recycler.take(1), "Workspace is closed");
    late.pin(); // results that are still open stay valid
    late.unpin();
    late.close();
    assertTrue(NativeHeap.liveBytes() <= before);
  }

  @Test
  void impossibleSizeIsOutOfMemoryWithTheSizeAndLeavesNothingLive() {
    long before = NativeHeap.liveBytes();
    refused(OutOfMemoryError.class, () -> Memory.zeroed(IMPOSSIBLE, "Owner"), Long.toString(IMPOSSIBLE));
    refused(OutOfMemoryError.class, () -> Memory.zeroed(Long.MAX_VALUE, "Owner"), Long.toString(Long.MAX_VALUE));
    Recycler recycler = new Recycler();
    // The recycler rounds the size up.
    refused(OutOfMemoryError.class, () -> Memory.from(recycler, IMPOSSIBLE, "Owner"), Long.toString(IMPOSSIBLE + 1));
    recycler.close();
    assertTrue(NativeHeap.liveBytes() <= before);
  }

  @Test
  void recyclerThatCannotRoundASizeUpIsOutOfMemory() {
    Recycler recycler = new Recycler();
    refused(OutOfMemoryError.class, () -> recycler.take(Long.MAX_VALUE), Long.toString(Long.MAX_VALUE));
    recycler.close();
  }

  /** Though all its batches were closed. */
  @Test
  void whatAForgottenWorkspaceKeepsIsFreedByTheCleaner() {
    long before = NativeHeap.liveBytes();
    for (int i = 0; i < 100; i++) {
      Recycler recycler = new Recycler();
      recycler.giveBack(recycler.take(1 << 20), 1 << 20);
    }
    collectUntil(() -> NativeHeap.liveBytes() <= before + (50 << 20));
    assertTrue(NativeHeap.liveBytes() <= before + (50 << 20), "half of 100 blocks are still there");
  }

  @Test
  void forgottenMemoryIsFreedByTheCleaner() {
    forget();
    collectUntil(() -> !source.givenBack.isEmpty());
    assertEquals(source.taken, source.givenBack);
  }

  /** Lets the Cleaner run, until it has done its work or had a hundred collections for it. */
  private static void collectUntil(BooleanSupplier done) {
    for (int i = 0; i < 100 && !done.getAsBoolean(); i++) {
      System.gc();
      for (int spin = 0; spin < 10_000 && !done.getAsBoolean(); spin++) {
        Thread.onSpinWait();
        Thread.yield();
      }
    }
  }

  /** In a method of its own, so that no frame refers to the block any more. */
  private void forget() {
    assertFalse(Memory.from(source, 64, "Forgotten").isClosed());
  }

  /** The counter of live bytes does not know whether the allocator has them back. */
  @Test
  void freedMemoryGoesBackToTheAllocator() throws IOException {
    long bytes = 64 << 20;
    long before = 0;
    for (int round = 0; round < 20; round++) {
      Memory memory = Memory.zeroed(bytes, "test");
      try (Lease lease = new Lease()) {
        MemoryNative.fill(lease.address(memory), bytes / Float.BYTES, 1);
      }
      memory.close();
      before = round == 0 ? residentBytes() : before;
    }
    assertTrue(residentBytes() < before + 8 * bytes);
  }

  private static long residentBytes() throws IOException {
    String pages = Files.readString(Path.of("/proc/self/statm")).split(" ")[1];
    return Long.parseLong(pages) * 4096;
  }
}
