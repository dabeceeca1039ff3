package dev.unroll.train;

import dev.unroll.sequence.PackedSequence;

/** A loss and its gradient; close it to free the gradient's memory. */
public final class LossGradient implements AutoCloseable {
  private final double loss;
  private final PackedSequence gradient;

  LossGradient(double loss, PackedSequence gradient) {
    this.loss = loss;
    this.gradient = gradient;
  }

  /**
   * Returns the loss.
   *
   * @return E
   */
  public double loss() {
    return loss;
  }

  /**
   * Returns the gradient of what the loss was computed from.
   *
   * @return dE/d scores, or dE/d outputs, shaped as the loss's first argument; closed with this object
   */
  public PackedSequence gradient() {
    return gradient;
  }

  /** Frees the memory; calling it again does nothing. */
  @Override
  public void close() {
    gradient.close();
  }
}
