package dev.unroll.internal;

/**
 * Where a caller's flat array or buffer has the steps of each sequence, and its padding.
 *
 * @param starts [sequences] index of the first value of each, or null if sequence b begins at b * sequenceStride; a
 *     multiple of the number of features
 * @param sequenceStride floats from the beginning of a sequence to that of the next, unless there are starts
 * @param stepStride floats from a step to the next
 * @param padding where it is
 * @param totalSteps steps of every sequence with its padding, if that comes after them
 */
public record StepPlaces(int[] starts, long sequenceStride, long stepStride, Padding padding, int totalSteps) {
  /** Where what is not a real step is. */
  public enum Padding {
    /** Nowhere. */
    NONE,
    /** After the real steps, in the order of steps. */
    AFTER,
    /** Anywhere else. */
    ELSEWHERE
  }

  /**
   * Describes a batch with padding after the real steps of each sequence.
   *
   * @param sequenceStride floats from the beginning of a sequence to that of the next
   * @param stepStride floats from a step to the next
   * @param totalSteps steps of every sequence with its padding
   * @return the places
   */
  public static StepPlaces paddedAfter(long sequenceStride, long stepStride, int totalSteps) {
    return new StepPlaces(null, sequenceStride, stepStride, Padding.AFTER, totalSteps);
  }

  /**
   * Describes a batch whose sequences begin anywhere.
   *
   * @param starts [sequences] index of the first value of each
   * @param stepStride floats from a step to the next
   * @param padded whether there is anything else
   * @return the places
   */
  public static StepPlaces startingAt(int[] starts, long stepStride, boolean padded) {
    return new StepPlaces(starts, 0, stepStride, padded ? Padding.ELSEWHERE : Padding.NONE, 0);
  }

  /**
   * Returns where a step is.
   *
   * @param sequence the caller's index
   * @param step from 0, the first real one
   * @return index of its first value
   */
  public int index(int sequence, int step) {
    return (int) ((starts == null ? sequence * sequenceStride : starts[sequence]) + step * stepStride);
  }
}
