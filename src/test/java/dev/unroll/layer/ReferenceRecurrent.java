package dev.unroll.layer;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A stack of recurrent layers in double precision, one sequence at a time, with a loss whose gradients are known:
 * {@code E = sum(outputs * outputWeights) + sum(final h * finalWeights) + sum(final c * finalCellWeights)}.
 */
final class ReferenceRecurrent {
  final ReferenceCells.Cell cell;
  final int layers;
  final int directions;
  final int hidden;
  final Map<String, double[]> weights = new LinkedHashMap<>();
  double[][][] input; // [sequences][steps][inputs]
  double[][][] initial; // [layers * directions][sequences][hidden]
  double[][][] initialCells; // likewise; null without cells
  double[][][] outputWeights; // [sequences][steps][directions * hidden, or hidden if summed]
  double[][][] finalWeights; // as initial
  double[][][] finalCellWeights;
  boolean summed;
  float[][][] mask; // [sequences][steps][outputs], what dropout multiplies the outputs of the first layer by; or null

  /** Takes the weights of a layer. */
  ReferenceRecurrent(ReferenceCells.Cell cell, Recurrent layer) {
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
        int features = initial[0][b].length;
        double[][] outputs = new double[x.length][directions * features];
        for (int d = 0; d < directions; d++) {
          loss += runDirection(l, d, b, x, outputs);
        }
        x = summed ? sumOfDirections(outputs) : outputs;
        if (mask != null && l + 1 < layers) {
          drop(x, mask[b]);
        }
      }
      for (int t = 0; t < x.length; t++) {
        loss += dot(x[t], outputWeights[b][t]);
      }
    }
    return loss;
  }

  /** Writes the outputs of one direction; returns the final state's part of the loss. */
  private double runDirection(int l, int d, int b, double[][] x, double[][] outputs) {
    int entry = l * directions + d;
    String suffix = "_l" + l + (d == 1 ? "_reverse" : "");
    ReferenceCells.Weights w =
        new ReferenceCells.Weights(
            weights.get("weight_ih" + suffix),
            weights.get("weight_hh" + suffix),
            weights.get("bias_ih" + suffix),
            weights.get("bias_hh" + suffix),
            weights.get("weight_hr" + suffix),
            weights.get("weight_peephole" + suffix),
            hidden);
    ReferenceCells.Step state =
        new ReferenceCells.Step(initial[entry][b], initialCells == null ? null : initialCells[entry][b]);
    for (int i = 0; i < x.length; i++) {
      int t = d == 0 ? i : x.length - 1 - i;
      state = cell.step(w, x[t], state.h(), state.c());
      System.arraycopy(state.h(), 0, outputs[t], d * state.h().length, state.h().length);
    }
    double loss = dot(state.h(), finalWeights[entry][b]);
    return state.c() == null ? loss : loss + dot(state.c(), finalCellWeights[entry][b]);
  }

  private static double[][] sumOfDirections(double[][] outputs) {
    double[][] sums = new double[outputs.length][];
    for (int t = 0; t < outputs.length; t++) {
      int size = outputs[t].length / 2;
      sums[t] = Arrays.copyOf(outputs[t], size);
      for (int j = 0; j < size; j++) {
        sums[t][j] += outputs[t][size + j];
      }
    }
    return sums;
  }

  private static void drop(double[][] x, float[][] factors) {
    for (int t = 0; t < x.length; t++) {
      for (int j = 0; j < x[t].length; j++) {
        x[t][j] *= factors[t][j];
      }
    }
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
    return Arrays.stream(values)
        .map(rows -> Arrays.stream(rows).map(ReferenceRecurrent::widen).toArray(double[][]::new))
        .toArray(double[][][]::new);
  }
}
