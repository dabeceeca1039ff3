package dev.unroll.bench;

import dev.unroll.bench.LayerWorkload.Lengths;
import dev.unroll.bench.peers.Library;
import dev.unroll.bench.peers.Subject;
import dev.unroll.peers.RecurrentShape.Cell;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Packing and unpacking what the workloads of variable lengths take and give, in a form that callers hold. */
public record PackingWorkload(Form form, int sequences, int steps, int features) implements Workload {
  /** What a caller holds. */
  public enum Form {
    /** A padded direct buffer. */
    BUFFER,
    /** A padded float[]. */
    ARRAY,
    /** A float[] for every sequence. */
    SEQUENCES,
    /** A float[] for every step. */
    STEPS
  }

  @Override
  public String toString() {
    return "packing " + form.name().toLowerCase(Locale.ROOT) + " " + sequences + "x" + steps + "x" + features;
  }

  /** Reads what {@link #toString} writes. */
  public static PackingWorkload parse(String text) {
    String[] words = text.split("[ x]");
    Form form = Form.valueOf(words[1].toUpperCase(Locale.ROOT));
    return new PackingWorkload(
        form, Integer.parseInt(words[2]), Integer.parseInt(words[3]), Integer.parseInt(words[4]));
  }

  /** The layer that takes this. */
  LayerWorkload forward(Cell cell) {
    return new LayerWorkload(cell, false, sequences, steps, features, features).with(Lengths.VARIABLE);
  }

  /** Steps of every sequence. */
  public int[] lengths() {
    return forward(Cell.LSTM).drawLengths();
  }

  @Override
  public Optional<Subject> prepare(Library library) {
    return library.packing(this);
  }

  /** Nothing to compare: the tests of sequences do. */
  @Override
  public Map<String, float[]> expected() {
    return Map.of();
  }
}
