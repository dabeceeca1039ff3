package dev.unroll.bench.work;

import dev.unroll.peers.RecurrentCase;
import dev.unroll.peers.RecurrentShape;
import dev.unroll.peers.RecurrentShape.Cell;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * One recurrent layer: all outputs and the final state or, in training, also the gradients of weights, inputs and
 * initial state from one of every output.
 *
 * @param steps of every sequence; of variable lengths, the most
 * @param inputs features of a step
 * @param hidden units
 * @param zeroState whether the initial state is zero, for libraries that take no other
 * @param lengths equal ones, lengths drawn uniformly from 5 to {@code steps}, or equal ones of as many steps together
 */
public record LayerWorkload(
    Cell cell, boolean training, int sequences, int steps, int inputs, int hidden, Lengths lengths, boolean zeroState)
    implements Workload {
  private static final String ZERO_STATE = " from zero";
  private static final int SHORTEST = 5;
  private static final long SEED = 6;

  /** How long the sequences are. */
  public enum Lengths {
    EQUAL,
    VARIABLE,
    /** The sum of the variable lengths, spread evenly. */
    EQUAL_SUM
  }

  /** Equal lengths, with an initial state. */
  public LayerWorkload(Cell cell, boolean training, int sequences, int steps, int inputs, int hidden) {
    this(cell, training, sequences, steps, inputs, hidden, Lengths.EQUAL, false);
  }

  @Override
  public String toString() {
    String units = inputs == hidden ? "" + hidden : inputs + "x" + hidden;
    String pass = training ? "train" : "forward";
    String name = String.format("%s %s %dx%dx%s", cell, pass, sequences, steps, units);
    return name + (lengths == Lengths.EQUAL ? "" : " " + lengths) + (zeroState ? ZERO_STATE : "");
  }

  /** Reads what {@link #toString} writes. */
  public static LayerWorkload parse(String text) {
    boolean zeroState = text.endsWith(ZERO_STATE);
    String[] words = text.replace(ZERO_STATE, "").split(" ");
    int[] sizes = Arrays.stream(words[2].split("x")).mapToInt(Integer::parseInt).toArray();
    Lengths lengths = words.length == 3 ? Lengths.EQUAL : Lengths.valueOf(words[3]);
    boolean training = words[1].equals("train");
    int hidden = sizes[sizes.length - 1];
    return new LayerWorkload(
        Cell.valueOf(words[0]), training, sizes[0], sizes[1], sizes[2], hidden, lengths, zeroState);
  }

  /** The same with other lengths. */
  public LayerWorkload with(Lengths other) {
    return new LayerWorkload(cell, training, sequences, steps, inputs, hidden, other, zeroState);
  }

  /** The same from a state of zeros. */
  public LayerWorkload fromZero() {
    return new LayerWorkload(cell, training, sequences, steps, inputs, hidden, lengths, true);
  }

  /** Steps of every sequence. */
  public int[] drawLengths() {
    int[] drawn = new int[sequences];
    if (lengths == Lengths.EQUAL) {
      Arrays.fill(drawn, steps);
      return drawn;
    }
    drawn = new Random(SEED).ints(sequences, SHORTEST, steps + 1).toArray();
    if (lengths == Lengths.EQUAL_SUM) {
      int sum = Arrays.stream(drawn).sum();
      for (int b = 0; b < sequences; b++) {
        drawn[b] = sum / sequences + (b < sum % sequences ? 1 : 0);
      }
    }
    return drawn;
  }

  /** Steps of all sequences together. */
  public int rows() {
    return Arrays.stream(drawLengths()).sum();
  }

  /** Floating-point operations of the matrix products over real steps. */
  public double operations() {
    double forward = 2.0 * rows() * cell.gates() * hidden * (inputs + hidden);
    return training ? 3 * forward : forward;
  }

  @Override
  public Pace pace() {
    return sequences * steps == 1 ? Pace.BRIEF : Pace.SLOW;
  }

  @Override
  public Optional<Subject> prepare(Library library) {
    return library.layer(problem(), training);
  }

  /** The numbers: weights as PyTorch's initial ones, the rest uniform in +-1. */
  private RecurrentCase problem() {
    RecurrentShape shape = new RecurrentShape(cell, inputs, hidden, 0, 1, false, true, drawLengths());
    Random random = new Random(SEED + hidden);
    float bound = (float) (1 / Math.sqrt(hidden));
    int gates = cell.gates() * hidden;
    Map<String, float[]> given = new LinkedHashMap<>();
    given.put("weight_ih_l0", uniform(random, gates * inputs, bound));
    given.put("weight_hh_l0", uniform(random, gates * hidden, bound));
    given.put("bias_ih_l0", uniform(random, gates, bound));
    given.put("bias_hh_l0", uniform(random, gates, bound));
    given.put(RecurrentCase.INPUT, uniform(random, shape.rows() * inputs, 1));
    given.put(RecurrentCase.INITIAL_H, uniform(random, sequences * hidden, zeroState ? 0 : 1));
    if (cell.hasCells()) {
      given.put(RecurrentCase.INITIAL_C, uniform(random, sequences * hidden, zeroState ? 0 : 1));
    }
    given.put(RecurrentCase.FROM_OUTPUT, uniform(random, shape.rows() * hidden, 1));
    return new RecurrentCase(shape, given);
  }

  private static float[] uniform(Random random, int size, float bound) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (2 * random.nextFloat() - 1) * bound;
    }
    return values;
  }
}
