package dev.unroll.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import dev.unroll.train.CrossEntropy;
import dev.unroll.train.Divisor;
import dev.unroll.train.LossGradient;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Back-propagation through time, worked out as the explicit sum of the textbook: for
 * {@code s_t = tanh(U x_t + W s_{t-1})}, {@code y_t = softmax(V s_t)} and {@code E_3 = -log y_3[target]},
 *
 * <pre>dE_3/dW = sum over k = 1..3 of dE_3/dy_3 * dy_3/ds_3 * prod(j = k+1..3) ds_j/ds_{j-1} * ds_k/dW</pre>
 */
class BpttByHandTest {
  private static final int H = 2;
  private static final int INPUTS = 3;
  private static final int OUTPUTS = 4;
  private static final int TARGET = 2;
  private static final double TOLERANCE = 1e-6; // a dozen float roundings of terms below 1

  private final Random random = new Random(11);
  private final float[] u = RandomArrays.vector(random, H * INPUTS);
  private final float[] w = RandomArrays.vector(random, H * H);
  private final float[] v = RandomArrays.vector(random, OUTPUTS * H);
  private final float[][] x = RandomArrays.matrix(random, 3, INPUTS);

  @Test
  void kernelGradientsEqualTheExplicitSumOverPaths() {
    double[][] s = new double[4][H]; // s[0] = 0
    for (int t = 1; t <= 3; t++) {
      s[t] = step(s[t - 1], ReferenceRecurrent.widen(x[t - 1]));
    }
    double[] y = softmax(ReferenceCells.affine(ReferenceRecurrent.widen(v), null, s[3]));

    // dE_3/dy_3 has one element; through the softmax's Jacobian dy_i/dz_j = y_i ([i = j] - y_j).
    double dEdY = -1 / y[TARGET];
    double[] dEdZ = new double[OUTPUTS];
    for (int j = 0; j < OUTPUTS; j++) {
      dEdZ[j] = dEdY * y[TARGET] * ((TARGET == j ? 1 : 0) - y[j]);
    }
    double[] dEdS3 = new double[H];
    double[] dV = new double[OUTPUTS * H];
    for (int j = 0; j < OUTPUTS; j++) {
      for (int i = 0; i < H; i++) {
        dEdS3[i] += dEdZ[j] * v[j * H + i];
        dV[j * H + i] = dEdZ[j] * s[3][i];
      }
    }

    double[] dW = new double[H * H];
    double[] dU = new double[H * INPUTS];
    for (int k = 1; k <= 3; k++) {
      double[][] chain = {{1, 0}, {0, 1}}; // ds_3/ds_k
      for (int j = 3; j > k; j--) {
        chain = multiply(chain, stateJacobian(s[j]));
      }
      double[] dEdSk = {
        dEdS3[0] * chain[0][0] + dEdS3[1] * chain[1][0], dEdS3[0] * chain[0][1] + dEdS3[1] * chain[1][1]
      };
      for (int i = 0; i < H; i++) {
        double dA = dEdSk[i] * (1 - s[k][i] * s[k][i]); // ds_k/dW is diag(1 - s_k^2) s_{k-1}, s_{k-1} held fixed
        for (int j = 0; j < H; j++) {
          dW[i * H + j] += dA * s[k - 1][j];
        }
        for (int j = 0; j < INPUTS; j++) {
          dU[i * INPUTS + j] += dA * x[k - 1][j];
        }
      }
    }
    checkKernels(dU, dW, dV);
  }

  private void checkKernels(double[] dU, double[] dW, double[] dV) {
    try (Rnn rnn = Rnn.builder(INPUTS, H).bias(false).build();
        Linear linear = new Linear(H, OUTPUTS, 0);
        PackedSequence input = PackedSequence.of(new float[][][] {x}, INPUTS);
        PackedTokens targets = PackedTokens.of(new int[][] {{0, 0, TARGET}}, OUTPUTS)) {
      rnn.parameters().get(0).set(u);
      rnn.parameters().get(1).set(w);
      linear.parameters().get(0).set(v);
      linear.parameters().get(1).set(new float[OUTPUTS]);
      try (RecurrentOutput states = rnn.forward(input);
          PackedSequence scores = linear.forward(states.outputs());
          LossGradient loss = new CrossEntropy(Divisor.SUM_OVER_STEPS).gradient(scores, targets);
          PackedSequence onlyLast = onlyLastStep(loss.gradient());
          PackedSequence dStates = linear.backward(states.outputs(), onlyLast);
          RecurrentGradients gradients = rnn.backward(states, dStates, null)) {
        assertClose(dU, rnn.parameters().get(0).gradient(), "dE/dU");
        assertClose(dW, rnn.parameters().get(1).gradient(), "dE/dW");
        assertClose(dV, linear.parameters().get(0).gradient(), "dE/dV");
      }
    }
  }

  private static PackedSequence onlyLastStep(PackedSequence gradient) {
    float[][] steps = gradient.toArrays()[0];
    return PackedSequence.of(new float[][][] {{new float[OUTPUTS], new float[OUTPUTS], steps[2]}}, OUTPUTS);
  }

  private double[] step(double[] before, double[] input) {
    double[] fromInput = ReferenceCells.affine(ReferenceRecurrent.widen(u), null, input);
    double[] fromState = ReferenceCells.affine(ReferenceRecurrent.widen(w), null, before);
    return new double[] {Math.tanh(fromInput[0] + fromState[0]), Math.tanh(fromInput[1] + fromState[1])};
  }

  /** ds_j/ds_{j-1} = diag(1 - s_j^2) W. */
  private double[][] stateJacobian(double[] s) {
    double[][] jacobian = new double[H][H];
    for (int i = 0; i < H; i++) {
      for (int j = 0; j < H; j++) {
        jacobian[i][j] = (1 - s[i] * s[i]) * w[i * H + j];
      }
    }
    return jacobian;
  }

  private static double[][] multiply(double[][] a, double[][] b) {
    double[][] product = new double[H][H];
    for (int i = 0; i < H; i++) {
      for (int j = 0; j < H; j++) {
        product[i][j] = a[i][0] * b[0][j] + a[i][1] * b[1][j];
      }
    }
    return product;
  }

  private static double[] softmax(double[] z) {
    double sum = 0;
    double[] y = new double[z.length];
    for (int i = 0; i < z.length; i++) {
      y[i] = Math.exp(z[i]);
      sum += y[i];
    }
    for (int i = 0; i < z.length; i++) {
      y[i] /= sum;
    }
    return y;
  }

  private static void assertClose(double[] expected, float[] actual, String name) {
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], actual[i], TOLERANCE, name + " element " + i);
    }
  }
}
