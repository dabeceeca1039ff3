package dev.unroll.model;

import dev.unroll.internal.Checks;

/**
 * How a language model is trained: with Adam, on streams that run through the text side by side, cut into windows.
 *
 * @param epochs passes over the text, 1 or more
 * @param streams parts of the text that are read side by side, 1 or more; the batch size
 * @param window steps that gradients go back in time (truncated back-propagation through time), 1 or more; the state's
 *     value is carried from window to window
 * @param learningRate of the first step, a normal float above 0
 * @param finalLearningRate of the last step, likewise; between the two the rate falls along a cosine
 * @param clipNorm limit of the norm of all gradients together, above 0; {@code Float.MAX_VALUE} for none
 */
public record TrainingOptions(
    int epochs, int streams, int window, double learningRate, double finalLearningRate, double clipNorm) {

  /** What suits a novel: 8 epochs, 32 streams, windows of 64, rate 0.003 falling to 0.00015, clipping at 1. */
  public static final TrainingOptions DEFAULT = new TrainingOptions(8, 32, 64, 3e-3, 1.5e-4, 1);

  /**
   * Checks the options.
   *
   * @param epochs 1 or more
   * @param streams 1 or more
   * @param window 1 or more
   * @param learningRate above 0
   * @param finalLearningRate above 0
   * @param clipNorm above 0
   * @throws IllegalArgumentException if one is out of range; the message names it
   */
  public TrainingOptions {
    Checks.positive("epochs", epochs);
    Checks.positive("streams", streams);
    Checks.positive("window", window);
    Checks.positive("learningRate", learningRate);
    Checks.positive("finalLearningRate", finalLearningRate);
    Checks.positive("clipNorm", clipNorm);
  }

  /**
   * Changes the number of epochs.
   *
   * @param newEpochs 1 or more
   * @return these options with that
   * @throws IllegalArgumentException if it is out of range
   */
  public TrainingOptions withEpochs(int newEpochs) {
    return new TrainingOptions(newEpochs, streams, window, learningRate, finalLearningRate, clipNorm);
  }

  /**
   * Changes the shape of a batch.
   *
   * @param newStreams 1 or more
   * @param newWindow 1 or more
   * @return these options with those
   * @throws IllegalArgumentException if one is out of range
   */
  public TrainingOptions withBatch(int newStreams, int newWindow) {
    return new TrainingOptions(epochs, newStreams, newWindow, learningRate, finalLearningRate, clipNorm);
  }

  /**
   * Changes the learning rates.
   *
   * @param first of the first step, above 0
   * @param last of the last step, above 0
   * @return these options with those
   * @throws IllegalArgumentException if one is out of range
   */
  public TrainingOptions withLearningRate(double first, double last) {
    return new TrainingOptions(epochs, streams, window, first, last, clipNorm);
  }

  /** The rate after a fraction of the training. */
  double learningRateAt(double fraction) {
    return finalLearningRate
        + (learningRate - finalLearningRate) * (1 + StrictMath.cos(StrictMath.PI * fraction)) / 2;
  }
}
