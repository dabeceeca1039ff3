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

  StructWriter add(long[] fields) {
    System.arraycopy(fields, 0, longs, size, fields.length);
    size += fields.length;
    return this;
  }

  long[] longs() {
    return longs;
  }
}
