package dev.unroll.bench.work;

import dev.unroll.bench.work.LayerWorkload.Lengths;
import dev.unroll.peers.RecurrentShape.Cell;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Packing and unpacking what the workloads of variable lengths take and give, in a form that callers hold. */
public record PackingWorkload(Form form, Task task, int sequences, int steps, int features) implements Workload {
  /** What is to be done with it. */
  public enum Task {
    BOTH,
    PACK,
    UNPACK,
    /** A plain copy of as many bytes as packing reads: an array to an array, or a direct buffer to a direct buffer. */
    COPY
  }

  /** What a caller holds. */
  public enum Form {
    /** A padded direct buffer. */
    BUFFER,
    /** A padded float[]. */
    ARRAY,
    /** A float[] for every sequence. */
    SEQUENCES,
    /** A float[] for every step. */
    STEPS,
    /** A float[] for every sequence, a new one when unpacked. */
    NEW_SEQUENCES,
    /** A float[] for every step, a new one when unpacked. */
    NEW_STEPS
  }

  @Override
  public String toString() {
    String name = "packing " + form.name().toLowerCase(Locale.ROOT) + " " + sequences + "x" + steps + "x" + features;
    return task == Task.BOTH ? name : name + " " + task.name().toLowerCase(Locale.ROOT);
  }

  /** Reads what {@link #toString} writes. */
  public static PackingWorkload parse(String text) {
    String[] words = text.split("[ x]");
    Form form = Form.valueOf(words[1].toUpperCase(Locale.ROOT));
    Task task = words.length == 5 ? Task.BOTH : Task.valueOf(words[5].toUpperCase(Locale.ROOT));
    return new PackingWorkload(
        form, task, Integer.parseInt(words[2]), Integer.parseInt(words[3]), Integer.parseInt(words[4]));
  }

  /** The same batch with something else to do. */
  public PackingWorkload with(Task other) {
    return new PackingWorkload(form, other, sequences, steps, features);
  }

  /**
   * The mean of the floats that the task reads and those that it writes: both are the real steps, but padding is written
   * too where a padded batch is unpacked.
   */
  public double moved() {
    boolean padded = task == Task.UNPACK && (form == Form.BUFFER || form == Form.ARRAY);
    int[] lengths = lengths();
    double real = Arrays.stream(lengths).asLongStream().sum();
    double cells = (double) sequences * Arrays.stream(lengths).max().orElse(0);
    return features * (padded ? (real + cells) / 2 : real);
  }

  /** The layer that takes this. */
  public LayerWorkload forward(Cell cell) {
    return new LayerWorkload(cell, false, sequences, steps, features, features).with(Lengths.VARIABLE);
  }

  /** Steps of every sequence. */
  public int[] lengths() {
    return forward(Cell.LSTM).drawLengths();
  }

  @Override
  public Pace pace() {
    return form == Form.NEW_SEQUENCES || form == Form.NEW_STEPS ? Pace.UNEVEN : Pace.SLOW;
  }

  @Override
  public Optional<Subject> prepare(Library library) {
    return library.packing(this);
  }

  /** Nothing to compare: the tests of sequences do. */
  @Override
  public Map<String, float[]> expected(Library reference) {
    return Map.of();
  }
}
