package dev.unroll.layer;

import java.util.function.DoubleUnaryOperator;

/** One step of every cell in double precision, as the textbooks write it. */
final class ReferenceCells {
  /** The weights of one layer and direction; those that a cell does not have are null. */
  record Weights(
      double[] inputWeight,
      double[] hiddenWeight,
      double[] inputBias,
      double[] hiddenBias,
      double[] projection,
      double[] peepholes,
      int hidden) {
    /** W_ih x + b_ih, [gates * hidden]. */
    double[] fromInput(double[] x) {
      return affine(inputWeight, inputBias, x);
    }

    /** W_hh h + b_hh, [gates * hidden]. */
    double[] fromState(double[] h) {
      return affine(hiddenWeight, hiddenBias, h);
    }

    double peephole(int gate, int unit) {
      return peepholes == null ? 0 : peepholes[gate * hidden + unit];
    }
  }

  /** h and c after a step; c is null for cells without it. */
  record Step(double[] h, double[] c) {}

  /** The formulas of a cell. */
  interface Cell {
    Step step(Weights w, double[] x, double[] h, double[] c);
  }

  static final Cell TANH = (w, x, h, c) -> elman(w, x, h, Math::tanh);
  static final Cell RELU = (w, x, h, c) -> elman(w, x, h, a -> Math.max(0, a));
  static final Cell LSTM = (w, x, h, c) -> lstm(w, x, h, c, false);
  static final Cell LSTM_COUPLED = (w, x, h, c) -> lstm(w, x, h, c, true);

  private ReferenceCells() {}

  private static Step elman(Weights w, double[] x, double[] h, DoubleUnaryOperator activation) {
    double[] input = w.fromInput(x);
    double[] recurrent = w.fromState(h);
    double[] next = new double[w.hidden];
    for (int j = 0; j < next.length; j++) {
      next[j] = activation.applyAsDouble(input[j] + recurrent[j]);
    }
    return new Step(next, null);
  }

  private static Step lstm(Weights w, double[] x, double[] h, double[] c, boolean coupled) {
    int n = w.hidden;
    double[] input = w.fromInput(x);
    double[] recurrent = w.fromState(h);
    double[] nextC = new double[n];
    double[] m = new double[n];
    for (int j = 0; j < n; j++) {
      double i = sigmoid(input[j] + recurrent[j] + w.peephole(0, j) * c[j]);
      double f = coupled ? 1 - i : sigmoid(input[n + j] + recurrent[n + j] + w.peephole(1, j) * c[j]);
      double g = Math.tanh(input[2 * n + j] + recurrent[2 * n + j]);
      nextC[j] = f * c[j] + i * g;
      double o = sigmoid(input[3 * n + j] + recurrent[3 * n + j] + w.peephole(2, j) * nextC[j]);
      m[j] = o * Math.tanh(nextC[j]);
    }
    return new Step(w.projection == null ? m : affine(w.projection, null, m), nextC);
  }

  static final Cell GRU =
      (w, x, h, c) -> {
        int n = w.hidden;
        double[] input = w.fromInput(x);
        double[] recurrent = w.fromState(h);
        double[] next = new double[n];
        for (int j = 0; j < n; j++) {
          double r = sigmoid(input[j] + recurrent[j]);
          double z = sigmoid(input[n + j] + recurrent[n + j]);
          next[j] = (1 - z) * Math.tanh(input[2 * n + j] + r * recurrent[2 * n + j]) + z * h[j];
        }
        return new Step(next, null);
      };

  static final Cell GRU_RESET_BEFORE =
      (w, x, h, c) -> {
        int n = w.hidden;
        double[] input = w.fromInput(x);
        double[] recurrent = w.fromState(h);
        double[] reset = new double[n];
        for (int j = 0; j < n; j++) {
          reset[j] = sigmoid(input[j] + recurrent[j]) * h[j];
        }
        double[] ofReset = w.fromState(reset);
        double[] next = new double[n];
        for (int j = 0; j < n; j++) {
          double z = sigmoid(input[n + j] + recurrent[n + j]);
          next[j] = (1 - z) * Math.tanh(input[2 * n + j] + ofReset[2 * n + j]) + z * h[j];
        }
        return new Step(next, null);
      };

  private static double sigmoid(double a) {
    return 1 / (1 + Math.exp(-a));
  }

  /** Matrix times vector plus bias; a bias of null is zero. */
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
}
