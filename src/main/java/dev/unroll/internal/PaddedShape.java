package dev.unroll.internal;

/**
 * How a padded batch lies in memory.
 *
 * @param totalSteps padded steps of every sequence
 * @param sequenceStride floats from the beginning of a sequence to that of the next
 * @param stepStride floats from a step to the next
 * @param leftPadded whether the padding of a sequence stands before its real steps, not after them
 */
public record PaddedShape(int totalSteps, long sequenceStride, long stepStride, boolean leftPadded) {
  /**
   * Returns where the real steps of a sequence begin.
   *
   * @param length how many there are
   * @return the padded step
   */
  public int start(int length) {
    return leftPadded ? totalSteps - length : 0;
  }

  /**
   * Returns where a padded step is.
   *
   * @param sequence the caller's index
   * @param paddedStep from 0
   * @return floats from the beginning of the batch
   */
  public int index(int sequence, int paddedStep) {
    return (int) (sequence * sequenceStride + paddedStep * stepStride);
  }
}
