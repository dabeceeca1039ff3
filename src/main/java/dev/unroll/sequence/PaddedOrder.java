package dev.unroll.sequence;

import dev.unroll.internal.Checks;
import dev.unroll.internal.StepPlaces;
import java.lang.reflect.Array;
import java.nio.IntBuffer;
import java.util.Arrays;

/** How a padded batch is laid out. */
public enum PaddedOrder {
  /** [sequences][steps][features], real steps first: PyTorch's {@code batch_first=True}, Keras. */
  BATCH_FIRST(true, false),
  /** [steps][sequences][features], real steps first: PyTorch's default, ONNX. */
  TIME_FIRST(false, false),
  /** [sequences][steps][features], padding first: the default of Keras' {@code pad_sequences}. */
  BATCH_FIRST_LEFT_PADDED(true, true),
  /** [steps][sequences][features], padding first. */
  TIME_FIRST_LEFT_PADDED(false, true);

  private final boolean batchFirst;
  private final boolean leftPadded;

  PaddedOrder(boolean batchFirst, boolean leftPadded) {
    this.batchFirst = batchFirst;
    this.leftPadded = leftPadded;
  }

  /**
   * Takes the real steps out of padded numbers that {@link PackedTokens} would refuse, such as labels of which some are
   * -100 for none: they go to {@link StepSelection#without}.
   *
   * @param padded [sequences][steps] or [steps][sequences], as this order says
   * @param lengths real steps of every sequence, each from 0 to the padded steps; sequences may be in any order
   * @return [sequences][real steps]
   * @throws NullPointerException if an argument or an array of {@code padded} is null
   * @throws IllegalArgumentException if a length is out of range
   */
  public int[][] unpad(int[][] padded, int[] lengths) {
    return GivenTokens.padded(padded, lengths, this).toArrays();
  }

  /**
   * Takes the real steps out of padded numbers that stand one after the other.
   *
   * @param padded [sequences * steps] or [steps * sequences], as this order says; its size says how many steps
   * @param lengths real steps of every sequence, each from 0 to the padded steps; sequences may be in any order
   * @return [sequences][real steps]
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if a length is out of range, or the size no multiple of the number of sequences
   */
  public int[][] unpad(int[] padded, int[] lengths) {
    return GivenTokens.padded(padded, lengths, this).toArrays();
  }

  /**
   * Takes the real steps out of padded numbers in a buffer of any kind.
   *
   * @param padded [sequences * steps] or [steps * sequences], as this order says, from its position to its limit, which
   *     stay as they are
   * @param lengths real steps of every sequence, each from 0 to the padded steps; sequences may be in any order
   * @return [sequences][real steps]
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if a length is out of range, or the size no multiple of the number of sequences
   */
  public int[][] unpad(IntBuffer padded, int[] lengths) {
    return GivenTokens.padded(padded, lengths, this).toArrays();
  }

  /**
   * Takes the real steps out of a padded mask of steps to be selected: they go to {@link StepSelection#of}.
   *
   * @param padded [sequences][steps] or [steps][sequences], as this order says
   * @param lengths real steps of every sequence, each from 0 to the padded steps; sequences may be in any order
   * @return [sequences][real steps]
   * @throws NullPointerException if an argument or an array of {@code padded} is null
   * @throws IllegalArgumentException if a length is out of range
   */
  public boolean[][] unpad(boolean[][] padded, int[] lengths) {
    boolean[][] own = Checks.notNull("padded", padded).clone();
    int[] ownLengths = Checks.notNull("lengths", lengths).clone();
    int[] starts = checkNested(own, ownLengths);
    boolean[][] sequences = new boolean[ownLengths.length][];
    Arrays.setAll(sequences, b -> new boolean[ownLengths[b]]);
    forEachRealStep(starts, ownLengths, (b, t, outer, inner) -> sequences[b][t] = own[outer][inner]);
    return sequences;
  }

  /**
   * Takes the real steps out of a padded batch of one number a step, such as Keras' weights of steps: they go to {@link
   * PackedSequence#ofFlat(float[][], int) PackedSequence.ofFlat(numbers, 1)}.
   *
   * @param padded [sequences][steps] or [steps][sequences], as this order says
   * @param lengths real steps of every sequence, each from 0 to the padded steps; sequences may be in any order
   * @return [sequences][real steps]
   * @throws NullPointerException if an argument or an array of {@code padded} is null
   * @throws IllegalArgumentException if a length is out of range
   */
  public float[][] unpad(float[][] padded, int[] lengths) {
    float[][] own = Checks.notNull("padded", padded).clone();
    int[] ownLengths = Checks.notNull("lengths", lengths).clone();
    int[] starts = checkNested(own, ownLengths);
    float[][] sequences = new float[ownLengths.length][];
    Arrays.setAll(sequences, b -> new float[ownLengths[b]]);
    forEachRealStep(starts, ownLengths, (b, t, outer, inner) -> sequences[b][t] = own[outer][inner]);
    return sequences;
  }

  /** A real step of a sequence, and its two indices in nested arrays. */
  private interface RealStep {
    void at(int sequence, int step, int outer, int inner);
  }

  private void forEachRealStep(int[] starts, int[] lengths, RealStep body) {
    for (int b = 0; b < lengths.length; b++) {
      for (int t = 0; t < lengths[b]; t++) {
        body.at(b, t, outer(b, starts[b] + t), inner(b, starts[b] + t));
      }
    }
  }

  /** The first index of a padded step of a sequence in nested arrays; of two such indices, the sequence. */
  int outer(int sequence, int step) {
    return batchFirst ? sequence : step;
  }

  /** The second index; of two such indices, the padded step. */
  int inner(int sequence, int step) {
    return batchFirst ? step : sequence;
  }

  /** The padded step at which the real ones of a sequence begin. */
  int start(int totalSteps, int length) {
    return leftPadded ? totalSteps - length : 0;
  }

  /** Where the steps are if all values stand one after the other. */
  StepPlaces places(int[] lengths, int totalSteps, int features) {
    long sequenceStride = batchFirst ? (long) totalSteps * features : features;
    long stepStride = batchFirst ? features : (long) lengths.length * features;
    if (!leftPadded) {
      return StepPlaces.paddedAfter(sequenceStride, stepStride, totalSteps);
    }
    int[] starts = new int[lengths.length];
    Arrays.setAll(starts, b -> (int) (b * sequenceStride + start(totalSteps, lengths[b]) * stepStride));
    return StepPlaces.startingAt(starts, stepStride, true);
  }

  /**
   * Checks nested arrays, of which the first two dimensions are those of this order, against lengths.
   *
   * @param padded arrays that nobody else changes
   * @return the padded step at which the real ones of each sequence begin
   */
  int[] checkNested(Object[] padded, int[] lengths) {
    if (batchFirst) {
      Checks.equal("number of sequences of padded", padded.length, lengths.length);
    }
    int[] starts = new int[lengths.length];
    for (int i = 0; i < padded.length; i++) {
      String name = "padded[" + i + "]";
      int inner = Array.getLength(Checks.notNull(name, padded[i]));
      if (batchFirst) {
        starts[i] = checkedStart(lengths, i, inner);
      } else {
        Checks.equal("number of sequences of " + name, inner, lengths.length);
      }
    }
    for (int b = 0; !batchFirst && b < lengths.length; b++) {
      starts[b] = checkedStart(lengths, b, padded.length);
    }
    return starts;
  }

  private int checkedStart(int[] lengths, int b, int steps) {
    checkLength(lengths, b, steps);
    return start(steps, lengths[b]);
  }

  /** Checks the lengths of a padded batch of so many values in all, and returns where they are. */
  StepPlaces checkFlat(int size, int[] lengths, int features) {
    long perStep = (long) lengths.length * features;
    boolean whole = perStep == 0 ? size == 0 : size % perStep == 0;
    String divisor = "sequences = " + lengths.length;
    if (features != 1) {
      divisor = "sequences * features = " + lengths.length + " * " + features;
    }
    Checks.require(whole, "size of padded", size, "a multiple of " + divisor);
    int steps = perStep == 0 ? 0 : (int) (size / perStep);
    for (int b = 0; b < lengths.length; b++) {
      checkLength(lengths, b, steps);
    }
    return places(lengths, steps, features);
  }

  /** Checks the size of a padded batch that is to be written; the product may be beyond a long. */
  static void checkSize(String name, int size, int sequences, int totalSteps, int features) {
    long cells = Math.multiplyFull(sequences, totalSteps);
    if (cells > size || cells * features != size) {
      String expected = "sequences * totalSteps * features = " + sequences + " * " + totalSteps + " * " + features;
      throw Checks.unexpected("size of " + name, size, expected);
    }
  }

  private static void checkLength(int[] lengths, int b, int steps) {
    if (lengths[b] < 0 || lengths[b] > steps) {
      throw Checks.unexpected("lengths[" + b + "]", lengths[b], "0 to " + steps + ", the padded steps");
    }
  }

  /** How messages name what a step is. */
  interface StepNames {
    String of(int outer, int inner);
  }

  /** The lengths that a mask says; the mask is an array that nobody else changes. */
  int[] maskLengths(boolean[][] mask) {
    return lengths("mask", mask, "false", (outer, inner) -> "true");
  }

  /**
   * The lengths of sequences whose real steps are known.
   *
   * @param name what messages call the array that says so
   * @param mask which steps are real, an array that nobody else changes
   * @param padding what the array holds for padding
   * @param real what it holds for a real step
   * @return lengths
   */
  int[] lengths(String name, boolean[][] mask, String padding, StepNames real) {
    for (int outer = 0; outer < mask.length; outer++) {
      int width = Checks.notNull(name + "[" + outer + "]", mask[outer]).length;
      if (!batchFirst && width != mask[0].length) {
        Checks.equal("number of sequences of " + name + "[" + outer + "]", width, mask[0].length);
      }
    }
    int[] lengths = new int[batchFirst ? mask.length : mask.length == 0 ? 0 : mask[0].length];
    for (int b = 0; b < lengths.length; b++) {
      int totalSteps = batchFirst ? mask[b].length : mask.length;
      for (int i = 0; i < totalSteps; i++) {
        int step = fromPaddingsFarEnd(totalSteps, i);
        if (mask[outer(b, step)][inner(b, step)] && lengths[b]++ != i) {
          int gap = fromPaddingsFarEnd(totalSteps, lengths[b] - 1);
          String isPadding = name + indices(b, gap) + " is padding of the same sequence" + hint(gap, totalSteps);
          String found = real.of(outer(b, step), inner(b, step));
          throw Checks.unexpected(name + indices(b, step), found, padding + ", since " + isPadding);
        }
      }
    }
    return lengths;
  }

  /** Step i from the end where sequences have no padding. */
  private int fromPaddingsFarEnd(int totalSteps, int i) {
    return leftPadded ? totalSteps - 1 - i : i;
  }

  private String hint(int padding, int totalSteps) {
    if (!leftPadded && padding == 0) {
      return "; padding that comes first is that of " + name() + "_LEFT_PADDED";
    }
    if (leftPadded && padding == totalSteps - 1) {
      return "; padding that comes last is that of " + name().replace("_LEFT_PADDED", "");
    }
    return "; to leave out steps between others is for a StepSelection";
  }

  /** How messages name a padded step. */
  String indices(int sequence, int step) {
    return "[" + outer(sequence, step) + "][" + inner(sequence, step) + "]";
  }

  /** The real steps of every sequence, from where they start, or more; arrays of steps are not copied. */
  float[][][] unpad(float[][][] padded, int[] starts, int[] lengths) {
    if (this == BATCH_FIRST) {
      return padded;
    }
    float[][][] sequences = new float[lengths.length][][];
    Arrays.setAll(sequences, b -> new float[lengths[b]][]);
    forEachRealStep(starts, lengths, (b, t, outer, inner) -> sequences[b][t] = padded[outer][inner]);
    return sequences;
  }

  /** The opposite, with a value for the steps that are not real. */
  float[][][] pad(float[][][] sequences, int totalSteps, int features, float padding) {
    int count = sequences.length;
    float[][][] padded = new float[outer(count, totalSteps)][inner(count, totalSteps)][];
    for (int b = 0; b < count; b++) {
      int start = start(totalSteps, sequences[b].length);
      for (int step = 0; step < totalSteps; step++) {
        int t = step - start;
        boolean real = t >= 0 && t < sequences[b].length;
        padded[outer(b, step)][inner(b, step)] = real ? sequences[b][t] : filled(features, padding);
      }
    }
    return padded;
  }

  private static float[] filled(int features, float padding) {
    float[] step = new float[features];
    Arrays.fill(step, padding);
    return step;
  }
}
