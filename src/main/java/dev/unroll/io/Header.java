package dev.unroll.io;

import java.util.Map;

/**
 * What a file says before its data.
 *
 * @param tensors by name, in the order of their data
 * @param metadata as the writer left it
 * @param dataStart where the data begin in the file
 */
record Header(Map<String, TensorEntry> tensors, Map<String, String> metadata, long dataStart) {}
