package dev.unroll.examples;

import dev.unroll.layer.Layer;
import dev.unroll.layer.Parameter;
import dev.unroll.train.LossGradient;
import dev.unroll.train.Optimizer;
import java.util.Arrays;
import java.util.List;

/** What the examples share. */
final class Training {
  private Training() {}

  /** The parameters of all layers together. */
  static List<Parameter> parameters(Layer... layers) {
    return Arrays.stream(layers).flatMap(layer -> layer.parameters().stream()).toList();
  }

  /** Changes the parameters by their gradients, once; returns the loss. */
  static double update(Optimizer optimizer, LossGradient result) {
    optimizer.step();
    optimizer.zeroGradients();
    return result.loss();
  }
}
