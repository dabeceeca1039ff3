package dev.unroll.io;

/**
 * What a header says of one tensor.
 *
 * @param name its name
 * @param type of its elements
 * @param shape its dimensions
 * @param begin its first byte, counted from the end of the header
 * @param end the byte after its last
 */
record TensorEntry(String name, DataType type, long[] shape, long begin, long end) {
  /** How messages name the tensor. */
  String label() {
    return "tensor " + JsonText.shown(name);
  }

  /** Counts the elements of a convertible type; a checked header guarantees that this is the product of the shape. */
  long size() {
    return (end - begin) / type.bytes();
  }
}
