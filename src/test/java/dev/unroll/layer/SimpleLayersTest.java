package dev.unroll.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.Expect;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Linear, embedding and softmax layers against textbook loops in double precision. */
class SimpleLayersTest {
  private static final double TOLERANCE = 1e-5; // sums of at most 100 float products of numbers below 1

  private final Random random = new Random(31);

  @ParameterizedTest
  @CsvSource({"1, 1", "7, 15", "16, 16", "17, 33", "40, 5"})
  void linearEqualsTheFormula(int inputs, int outputs) {
    float[][][] x = RandomArrays.sequences(random, new int[] {3, 0, 9}, inputs);
    float[][][] dY = RandomArrays.sequences(random, new int[] {3, 0, 9}, outputs);
    try (Linear layer = new Linear(inputs, outputs, 1);
        PackedSequence input = PackedSequence.of(x, inputs);
        PackedSequence output = layer.forward(input);
        PackedSequence outputGradient = PackedSequence.of(dY, outputs);
        PackedSequence inputGradient = layer.backward(input, outputGradient)) {
      double[] weight = ReferenceRecurrent.widen(layer.parameters().get(0).values());
      double[] bias = ReferenceRecurrent.widen(layer.parameters().get(1).values());
      float[][][] y = output.toArrays();
      float[][][] dX = inputGradient.toArrays();
      double[] dWeight = new double[weight.length];
      double[] dBias = new double[outputs];
      for (int b = 0; b < x.length; b++) {
        for (int t = 0; t < x[b].length; t++) {
          double[] expected = ReferenceCells.affine(weight, bias, ReferenceRecurrent.widen(x[b][t]));
          double[] expectedGradient = new double[inputs];
          for (int o = 0; o < outputs; o++) {
            assertEquals(expected[o], y[b][t][o], TOLERANCE);
            dBias[o] += dY[b][t][o];
            for (int i = 0; i < inputs; i++) {
              dWeight[o * inputs + i] += (double) dY[b][t][o] * x[b][t][i];
              expectedGradient[i] += dY[b][t][o] * weight[o * inputs + i];
            }
          }
          for (int i = 0; i < inputs; i++) {
            assertEquals(expectedGradient[i], dX[b][t][i], TOLERANCE);
          }
        }
      }
      assertClose(dWeight, layer.parameters().get(0).gradient());
      assertClose(dBias, layer.parameters().get(1).gradient());
    }
  }

  /** Weights that have changed are read as they are once, then packed. */
  @ParameterizedTest
  @CsvSource({"1, 1, 1", "7, 15, 2", "64, 64, 1", "300, 80, 2", "9, 4700, 1", "4700, 33, 1", "16, 16, 3", "16, 16, 0"})
  void linearHasTheSameBitsWhetherItsWeightsArePackedOrNot(int inputs, int outputs, int rows) {
    try (Linear layer = new Linear(inputs, outputs, 1);
        PackedSequence input = PackedSequence.of(RandomArrays.sequences(random, new int[] {rows}, inputs), inputs);
        PackedSequence dY = PackedSequence.of(RandomArrays.sequences(random, new int[] {rows}, outputs), outputs)) {
      float[][] before = outputAndGradient(layer, input, dY);
      Expect.sameBits(before, outputAndGradient(layer, input, dY));
      layer.parameter("weight").set(RandomArrays.vector(random, inputs * outputs));
      float[][] changed = outputAndGradient(layer, input, dY);
      assertEquals(rows == 0, Arrays.deepEquals(before, changed));
      Expect.sameBits(changed, outputAndGradient(layer, input, dY));
      float[] alone = new float[rows * outputs];
      layer.parameter("weight").changed();
      layer.forward(input.toFlatArrays()[0], alone);
      assertArrayEquals(Expect.bits(changed[0]), Expect.bits(alone));
    }
  }

  private static float[][] outputAndGradient(Linear layer, PackedSequence input, PackedSequence dY) {
    try (PackedSequence output = layer.forward(input);
        PackedSequence inputGradient = layer.backward(input, dY)) {
      return new float[][] {output.toFlatArrays()[0], inputGradient.toFlatArrays()[0]};
    }
  }

  @Test
  void withoutABiasTheMapIsLinear() {
    try (Linear with = new Linear(5, 3, 1);
        Linear without = new Linear(5, 3, false, 1);
        PackedSequence input = PackedSequence.ofOne(new float[][] {{1, -2, 3, 0.5f, 4}, {0, 0, 1, 0, 0}}, 5)) {
      assertEquals(List.of(without.parameter("weight")), without.parameters());
      with.parameter("bias").set(new float[3]);
      try (PackedSequence expected = with.forward(input);
          PackedSequence actual = without.forward(input);
          PackedSequence dInput = without.backward(input, actual);
          PackedSequence expectedInput = with.backward(input, expected)) {
        Expect.sameBits(expected.toArrays(), actual.toArrays());
        Expect.sameBits(expectedInput.toArrays(), dInput.toArrays());
        assertArrayEquals(with.parameter("weight").gradient(), without.parameter("weight").gradient());
      }
    }
  }

  @Test
  void parametersOfSeveralLayersAreListedInTheirOrder() {
    try (Embedding embedding = new Embedding(3, 2, 1);
        Linear linear = new Linear(2, 1, 1)) {
      Parameter weight = linear.parameter("weight");
      assertEquals(
          List.of(embedding.parameter("weight"), weight, linear.parameter("bias")),
          Layer.parametersOf(embedding, linear));
      assertEquals(List.of(), Layer.parametersOf());
      Expect.refused(NullPointerException.class, () -> Layer.parametersOf(linear, null), "layers[1] is null");
    }
  }

  @Test
  void gradientsAddUpUntilSetToZero() {
    try (Linear layer = new Linear(2, 1, 1);
        PackedSequence input = PackedSequence.of(new float[][][] {{{1, 2}}}, 2);
        PackedSequence dY = PackedSequence.of(new float[][][] {{{3}}}, 1)) {
      layer.backward(input, dY).close();
      layer.backward(input, dY).close();
      assertArrayEquals(new float[] {6, 12}, layer.parameters().get(0).gradient());
      layer.zeroGradients();
      assertArrayEquals(new float[] {0, 0}, layer.parameters().get(0).gradient());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 15, 16, 17, 40})
  void embeddingLooksUpRowsAndAddsGradientsToThem(int size) {
    int[][] tokens = {{2, 0, 2}, {}, {1, 2, 4, 2}};
    float[][][] dY = RandomArrays.sequences(random, new int[] {3, 0, 4}, size);
    try (Embedding layer = new Embedding(5, size, 1);
        PackedTokens input = PackedTokens.of(tokens, 5);
        PackedSequence output = layer.forward(input);
        PackedSequence outputGradient = PackedSequence.of(dY, size)) {
      float[] table = layer.parameters().get(0).values();
      float[][][] y = output.toArrays();
      double[] dTable = new double[table.length];
      layer.backward(input, outputGradient);
      for (int b = 0; b < tokens.length; b++) {
        for (int t = 0; t < tokens[b].length; t++) {
          for (int j = 0; j < size; j++) {
            int element = tokens[b][t] * size + j;
            assertEquals(table[element], y[b][t][j]);
            dTable[element] += dY[b][t][j];
          }
        }
      }
      assertClose(dTable, layer.parameters().get(0).gradient());
      float[] row = new float[size];
      layer.forward(3, row);
      assertArrayEquals(Arrays.copyOfRange(table, 3 * size, 4 * size), row);
      Class<IllegalArgumentException> argument = IllegalArgumentException.class;
      Expect.refused(argument, () -> layer.forward(5, row), "token is 5");
      Expect.refused(argument, () -> layer.forward(-1, row), "token is -1");
      Expect.refused(argument, () -> layer.forward(0, new float[size + 1]), "size of output is " + (size + 1));
      Expect.refused(NullPointerException.class, () -> layer.forward(0, null), "output is null");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 15, 16, 17, 33, 100})
  void softmaxAndItsGradientEqualTheFormula(int columns) {
    double temperature = 0.7;
    Softmax layer = new Softmax(temperature);
    float[][][] x = RandomArrays.sequences(random, new int[] {4, 2}, columns);
    float[][][] dY = RandomArrays.sequences(random, new int[] {4, 2}, columns);
    try (PackedSequence scores = PackedSequence.of(x, columns);
        PackedSequence probabilities = layer.forward(scores);
        PackedSequence logarithms = layer.logForward(scores);
        PackedSequence outputGradient = PackedSequence.of(dY, columns);
        PackedSequence inputGradient = layer.backward(probabilities, outputGradient)) {
      for (int b = 0; b < x.length; b++) {
        for (int t = 0; t < x[b].length; t++) {
          double[] p = new double[columns];
          double sum = 0;
          for (int i = 0; i < columns; i++) {
            p[i] = Math.exp(x[b][t][i] / temperature);
            sum += p[i];
          }
          double mean = 0;
          for (int i = 0; i < columns; i++) {
            p[i] /= sum;
            mean += p[i] * dY[b][t][i];
          }
          for (int i = 0; i < columns; i++) {
            assertEquals(p[i], probabilities.step(b, t)[i], 1e-6);
            assertEquals(Math.log(p[i]), logarithms.step(b, t)[i], TOLERANCE);
            assertEquals(p[i] * (dY[b][t][i] - mean) / temperature, inputGradient.step(b, t)[i], 1e-6);
          }
        }
      }
    }
  }

  @Test
  void softmaxOfExtremeScoresStaysInRange() {
    float infinity = Float.POSITIVE_INFINITY;
    float[][] rows = {
      {1e38f, 0, -1e38f}, {-infinity, 5, 5}, {1e-30f, 1e-30f, 1e-30f}, {Float.NaN, 0, 0}, {-1e38f, -1e38f, -1e38f}
    };
    try (PackedSequence scores = PackedSequence.of(new float[][][] {rows}, 3);
        PackedSequence probabilities = new Softmax().forward(scores)) {
      float[][] p = probabilities.toArrays()[0];
      float third = 1f / 3;
      assertArrayEquals(new float[] {1, 0, 0}, p[0]);
      assertArrayEquals(new float[] {0, 0.5f, 0.5f}, p[1]);
      assertArrayEquals(new float[] {third, third, third}, p[2]);
      assertTrue(Float.isNaN(p[3][0]) && Float.isNaN(p[3][2]));
      assertArrayEquals(new float[] {third, third, third}, p[4]);
    }
  }

  private static void assertClose(double[] expected, float[] actual) {
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], actual[i], TOLERANCE, "element " + i);
    }
  }
}
