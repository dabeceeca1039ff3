package dev.unroll.peers;

import java.util.Map;

/**
 * The weights of one layer and direction as oneDNN has them, and the sums of their gradients: gates u r o of a GRU
 * where ours are r z n, one bias where ours are two, and a fourth part of the GRU's bias for what the reset gate
 * multiplies.
 */
public final class OneDnnWeights {
  private final RecurrentShape shape;
  private final String suffix;
  private final int inputs;
  private final float[] input;
  private final float[] hidden;
  private final float[] bias;
  private final float[] peepholes; // null without
  private final float[] inputGradient; // transposed
  private final float[] hiddenGradient; // transposed
  private final float[] biasGradient;
  private final float[] peepholeGradient;

  public OneDnnWeights(RecurrentCase problem, int layer, int direction) {
    shape = problem.shape();
    suffix = RecurrentShape.suffix(layer, direction);
    inputs = shape.inputs(layer);
    input = swapGates(problem.given("weight_ih" + suffix));
    hidden = swapGates(problem.given("weight_hh" + suffix));
    bias = bias(problem);
    peepholes = problem.given("weight_peephole" + suffix);
    inputGradient = new float[input.length];
    hiddenGradient = new float[hidden.length];
    biasGradient = new float[bias.length];
    peepholeGradient = peepholes == null ? null : new float[peepholes.length];
  }

  private float[] bias(RecurrentCase problem) {
    int size = shape.hidden();
    int rows = shape.cell().gates() * size;
    float[] sum = new float[keepsLastBiasApart() ? rows + size : rows];
    if (shape.bias()) {
      float[] ofInput = swapGates(problem.given("bias_ih" + suffix));
      float[] ofHidden = swapGates(problem.given("bias_hh" + suffix));
      int added = keepsLastBiasApart() ? rows - size : rows;
      System.arraycopy(ofInput, 0, sum, 0, rows);
      for (int i = 0; i < added; i++) {
        sum[i] += ofHidden[i];
      }
      System.arraycopy(ofHidden, added, sum, rows, rows - added);
    }
    return sum;
  }

  private boolean keepsLastBiasApart() {
    return shape.cell() == RecurrentShape.Cell.GRU;
  }

  /** Exchanges the first two of a GRU's gates; done twice it changes nothing. */
  private float[] swapGates(float[] weight) {
    float[] swapped = weight.clone();
    if (shape.cell().gates() == 3) {
      int block = weight.length / 3;
      System.arraycopy(weight, 0, swapped, block, block);
      System.arraycopy(weight, block, swapped, 0, block);
    }
    return swapped;
  }

  int inputs() {
    return inputs;
  }

  /** [gates * hidden, inputs]. */
  public float[] input() {
    return input;
  }

  /** [gates * hidden, hidden]. */
  public float[] hidden() {
    return hidden;
  }

  float[] inputTransposed() {
    return transpose(input, input.length / inputs, inputs);
  }

  float[] hiddenTransposed() {
    return transpose(hidden, hidden.length / shape.hidden(), shape.hidden());
  }

  public float[] bias() {
    return bias;
  }

  float[] peepholes() {
    return peepholes;
  }

  private static float[] transpose(float[] matrix, int rows, int columns) {
    float[] transposed = new float[matrix.length];
    for (int i = 0; i < rows; i++) {
      for (int k = 0; k < columns; k++) {
        transposed[k * rows + i] = matrix[i * columns + k];
      }
    }
    return transposed;
  }

  /** Adds the gradients of one sequence, those of matrices transposed. */
  public void addGradients(float[] ofInput, float[] ofHidden, float[] ofBias, float[] ofPeepholes) {
    add(ofInput, inputGradient);
    add(ofHidden, hiddenGradient);
    add(ofBias, biasGradient);
    if (ofPeepholes != null) {
      add(ofPeepholes, peepholeGradient);
    }
  }

  private static void add(float[] values, float[] sum) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += values[i];
    }
  }

  /** Puts the gradients under our names, in our order. */
  public void putGradients(Map<String, float[]> results) {
    int size = shape.hidden();
    int rows = shape.cell().gates() * size;
    put(results, "weight_ih", swapGates(transpose(inputGradient, inputs, rows)));
    put(results, "weight_hh", swapGates(transpose(hiddenGradient, size, rows)));
    if (shape.bias()) {
      float[] ofInput = new float[rows];
      System.arraycopy(biasGradient, 0, ofInput, 0, rows);
      float[] ofHidden = ofInput.clone();
      if (keepsLastBiasApart()) {
        System.arraycopy(biasGradient, rows, ofHidden, rows - size, size);
      }
      put(results, "bias_ih", swapGates(ofInput));
      put(results, "bias_hh", swapGates(ofHidden));
    }
    if (peepholes != null) {
      put(results, "weight_peephole", peepholeGradient);
    }
  }

  private void put(Map<String, float[]> results, String name, float[] gradient) {
    results.put(RecurrentCase.GRADIENT + name + suffix, gradient);
  }
}
