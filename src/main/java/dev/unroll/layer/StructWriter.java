package dev.unroll.layer;

/** Writes the 8-byte fields of native structs one after the other. */
final class StructWriter {
  private final long[] longs;
  private int size;

  StructWriter(int fields) {
    longs = new long[fields];
  }

  StructWriter add(long field) {
    longs[size++] = field;
    return this;
  }

  long[] longs() {
    return longs;
  }
}
