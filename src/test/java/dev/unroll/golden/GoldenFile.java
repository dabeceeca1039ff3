package dev.unroll.golden;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The committed hashes: one line a model, for every machine, instruction set, number of threads and split. */
final class GoldenFile {
  private static final String RESOURCE = "/dev/unroll/golden/bits.txt";

  private GoldenFile() {}

  static Map<String, Split.Hashes> read() {
    Map<String, Split.Hashes> hashes = new LinkedHashMap<>();
    try (InputStream in = GoldenFile.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IOException(RESOURCE + " is missing: expected it among the test resources");
      }
      for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
        if (!line.startsWith("#")) {
          String[] words = line.split(" ");
          hashes.put(words[0], new Split.Hashes(words[1], words[2]));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return hashes;
  }

  /** Writes the hashes of the undivided batch on one thread. */
  static void write(Path file, List<GoldenHashes.Run> runs) throws IOException {
    StringBuilder text =
        new StringBuilder("# model, hash of what belongs to single sequences, hash of sums over them; see GoldenTable\n");
    for (GoldenHashes.Run run : runs) {
      if (run.split() == Split.WHOLE) {
        text.append(run.model() + ' ' + run.hashes() + '\n');
      }
    }
    Files.writeString(file, text);
  }
}
