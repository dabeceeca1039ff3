package dev.unroll.peers;

/** Finds cases in which a unit's sum before the relu comes so close to 0 that rounding may decide its derivative. */
final class ReluMargin {
  /** Several times the error of a sum of up to 260 products of that size in float. */
  private static final double MARGIN = 2e-6;

  private final RecurrentCase problem;
  private final RecurrentShape shape;
  private double smallest = Double.POSITIVE_INFINITY;

  private ReluMargin(RecurrentCase problem) {
    this.problem = problem;
    shape = problem.shape();
  }

  /** Whether some sum that is not exactly 0 is within the margin. */
  static boolean isSmall(RecurrentCase problem) {
    ReluMargin margin = new ReluMargin(problem);
    float[] input = problem.given(RecurrentCase.INPUT);
    int inputs = problem.shape().inputs();
    int row = 0;
    for (int b = 0; b < problem.shape().sequences(); b++) {
      double[][] steps = new double[problem.shape().lengths()[b]][inputs];
      for (double[] step : steps) {
        for (int i = 0; i < inputs; i++) {
          step[i] = input[row * inputs + i];
        }
        row++;
      }
      margin.run(b, steps);
    }
    return margin.smallest < MARGIN;
  }

  /** All layers over one sequence. */
  private void run(int sequence, double[][] steps) {
    int hidden = shape.hidden();
    double[][] below = steps;
    for (int layer = 0; layer < shape.layers(); layer++) {
      double[][] outputs = new double[below.length][shape.outputSize()];
      for (int direction = 0; direction < shape.directions(); direction++) {
        String suffix = RecurrentShape.suffix(layer, direction);
        int entry = layer * shape.directions() + direction;
        double[] h = initial(entry * shape.sequences() + sequence);
        for (int step = 0; step < below.length; step++) {
          int t = direction == 0 ? step : below.length - 1 - step;
          h = next(suffix, below[t], h);
          System.arraycopy(h, 0, outputs[t], direction * hidden, hidden);
        }
      }
      below = outputs;
    }
  }

  private double[] initial(int row) {
    double[] h = new double[shape.hidden()];
    float[] given = problem.given(RecurrentCase.INITIAL_H);
    for (int j = 0; given != null && j < h.length; j++) {
      h[j] = given[row * h.length + j];
    }
    return h;
  }

  private double[] next(String suffix, double[] x, double[] h) {
    double[] next = new double[h.length];
    for (int j = 0; j < next.length; j++) {
      double sum = product("weight_ih" + suffix, j, x) + product("weight_hh" + suffix, j, h);
      if (shape.bias()) {
        sum += (double) problem.given("bias_ih" + suffix)[j] + problem.given("bias_hh" + suffix)[j];
      }
      if (sum != 0) {
        smallest = Math.min(smallest, Math.abs(sum));
      }
      next[j] = Math.max(0, sum);
    }
    return next;
  }

  private double product(String weight, int row, double[] vector) {
    float[] matrix = problem.given(weight);
    double sum = 0;
    for (int k = 0; k < vector.length; k++) {
      sum += matrix[row * vector.length + k] * vector[k];
    }
    return sum;
  }
}
