package dev.unroll.examples;

import dev.unroll.train.LossGradient;
import dev.unroll.train.Optimizer;

/** What the examples share. */
final class Training {
  private Training() {}

  /** Changes the parameters by their gradients, once; returns the loss. */
  static double update(Optimizer optimizer, LossGradient result) {
    optimizer.step();
    optimizer.zeroGradients();
    return result.loss();
  }
}
