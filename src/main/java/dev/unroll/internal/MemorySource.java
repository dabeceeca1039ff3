package dev.unroll.internal;

/** Where blocks of memory come from and go back to. */
public interface MemorySource {
  /** The operating system: fresh zeroed blocks, freed as soon as they are given back. */
  MemorySource SYSTEM =
      new MemorySource() {
        @Override
        public long take(long bytes) {
          return NativeHeap.allocate(bytes);
        }

        @Override
        public void giveBack(long address, long bytes) {
          NativeHeap.free(address, bytes);
        }
      };

  /**
   * Provides a block at a multiple of 64 bytes; its content is not defined unless this is {@link #SYSTEM}.
   *
   * @param bytes its size
   * @return its address
   * @throws OutOfMemoryError if there is none
   */
  long take(long bytes);

  /**
   * Takes a block back.
   *
   * @param address what {@link #take} returned
   * @param bytes what it was asked for
   */
  void giveBack(long address, long bytes);
}
