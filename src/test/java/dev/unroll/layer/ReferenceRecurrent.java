package dev.unroll.layer;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A stack of recurrent layers in double precision and textbook loops, one sequence at a time, with a loss whose gradients are
 * known: {@code E = sum(outputs * outputWeights) + sum(final state * finalWeights)}.
 */
final class ReferenceRecurrent {
  /** One step of a cell. */
  interface Cell {
    /**
     * @param input W_ih x + b_ih, [gates * hidden]
     * @param recurrent W_hh h + b_hh, [gates * hidden]
     * @param state the state before
     * @return the state after
     */
    double[] step(double[] input, double[] recurrent, double[] state);
  }

  static final Cell TANH = (input, recurrent, state) -> elman(input, recurrent, Math::tanh);
  static final Cell RELU = (input, recurrent, state) -> elman(input, recurrent, a -> Math.max(0, a));

  private static double[] elman(double[] input, double[] recurrent, java.util.function.DoubleUnaryOperator activation) {
    double[] h = new double[input.length];
    for (int j = 0; j < h.length; j++) {
      h[j] = activation.applyAsDouble(input[j] + recurrent[j]);
    }
    return h;
  }

  final Cell cell;
  final int layers;
  final int directions;
  final int hidden;
  final Map<String, double[]> weights = new LinkedHashMap<>();
  double[][][] input; // [sequences][steps][inputs]
  double[][][] initial; // [layers * directions][sequences][hidden]
  double[][][] outputWeights; // [sequences][steps][directions * hidden]
  double[][][] finalWeights; // as initial

  /** Takes the weights of a layer. */
  ReferenceRecurrent(Cell cell, Recurrent layer) {
    this.cell = cell;
    layers = layer.layers();
    directions = layer.isBidirectional() ? 2 : 1;
    hidden = layer.hiddenSize();
    for (Parameter parameter : layer.parameters()) {
      weights.put(parameter.name(), widen(parameter.values()));
    }
  }

  /** E for the weights, input and initial state as they are now. */
  double loss() {
    double loss = 0;
    for (int b = 0; b < input.length; b++) {
      double[][] x = input[b];
      for (int l = 0; l < layers; l++) {
        double[][] outputs = new double[x.length][directions * hidden];
        for (int d = 0; d < directions; d++) {
          loss += runDirection(l, d, b, x, outputs);
        }
        x = outputs;
      }
      for (int t = 0; t < x.length; t++) {
        loss += dot(x[t], outputWeights[b][t]);
      }
    }
    return loss;
  }

  /** Writes the outputs of one direction; returns the final state's part of the loss. */
  private double runDirection(int l, int d, int b, double[][] x, double[][] outputs) {
    String suffix = "_l" + l + (d == 1 ? "_reverse" : "");
    double[] h = initial[l * directions + d][b];
    for (int i = 0; i < x.length; i++) {
      int t = d == 0 ? i : x.length - 1 - i;
      double[] fromInput = affine(weights.get("weight_ih" + suffix), weights.get("bias_ih" + suffix), x[t]);
      double[] fromState = affine(weights.get("weight_hh" + suffix), weights.get("bias_hh" + suffix), h);
      h = cell.step(fromInput, fromState, h);
      System.arraycopy(h, 0, outputs[t], d * hidden, hidden);
    }
    return dot(h, finalWeights[l * directions + d][b]);
  }

  static double[] affine(double[] matrix, double[] bias, double[] x) {
    double[] y = new double[matrix.length / x.length];
    for (int i = 0; i < y.length; i++) {
      double sum = bias == null ? 0 : bias[i];
      for (int k = 0; k < x.length; k++) {
        sum += matrix[i * x.length + k] * x[k];
      }
      y[i] = sum;
    }
    return y;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  /** dE/dv for every element of an array that the loss depends on, by central differences. */
  double[] differences(double[] values) {
    double step = 1e-5; // truncation 1e-10, rounding 1e-11: far below what float gradients are compared within
    double[] gradient = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      double value = values[i];
      values[i] = value + step;
      double above = loss();
      values[i] = value - step;
      double below = loss();
      values[i] = value;
      gradient[i] = (above - below) / (2 * step);
    }
    return gradient;
  }

  static double[] widen(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  static double[][][] widen(float[][][] values) {
    double[][][] wide = new double[values.length][][];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = List.of(values[i]).stream().map(ReferenceRecurrent::widen).toArray(double[][]::new);
    }
    return wide;
  }
}
