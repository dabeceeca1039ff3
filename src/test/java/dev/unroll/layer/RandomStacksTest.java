package dev.unroll.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.Expect;
import dev.unroll.Unroll;
import dev.unroll.Workspace;
import dev.unroll.sequence.PackedSequence;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.lifecycle.AfterTry;

/** Stacks of any cell and size, batches of any shape: every way to run them has the same bits, on any number of threads. */
class RandomStacksTest {
  private static final double MOST_OPERATIONS = 1e6;

  private final int threads = Unroll.threads();

  @AfterTry
  void restoreThreads() {
    Unroll.threads(threads);
  }

  @Property(tries = 30)
  void everyWayToRunAStackHasTheSameBits(@ForAll long seed) {
    Random random = new Random(seed);
    int inputs = 1 + random.nextInt(random.nextBoolean() ? 20 : 150);
    int hidden = 2 + random.nextInt(random.nextBoolean() ? 40 : 300);
    int[] lengths = lengths(random, MOST_OPERATIONS / ((double) hidden * (inputs + hidden)));
    float[][][] x = RandomArrays.sequences(random, lengths, inputs);
    try (Workspace workspace = new Workspace();
        Recurrent layer = layer(random, inputs, hidden);
        PackedSequence input = PackedSequence.of(workspace, x, inputs)) {
      Unroll.threads(1);
      float[][] expected = trained(layer, input);
      float[][] outputs;
      try (RecurrentOutput inferred = layer.infer(input, null)) {
        outputs = inferred.outputs().toFlatArrays();
      }
      for (int call = 0; call < 9; call++) { // several on as many threads: whether they share is tried
        Unroll.threads(2 + call % 3);
        try (RecurrentOutput inferred = layer.infer(input, null)) {
          Expect.sameBits(outputs, inferred.outputs().toFlatArrays());
        }
        Expect.sameBits(expected, trained(layer, input));
      }
      if (!layer.isBidirectional() && lengths.length > 0) {
        stepByStep(layer, x, outputs);
      }
    }
  }

  /** Weights that have changed are read as they are once, then packed. */
  @Property(tries = 60)
  void fewStepsHaveTheSameBitsWhetherTheirWeightsArePackedOrNot(@ForAll long seed) {
    Random random = new Random(seed);
    int inputs = 1 + random.nextInt(random.nextBoolean() ? 20 : 150);
    int hidden = 2 + random.nextInt(random.nextBoolean() ? 40 : 300);
    int[] lengths = RandomArrays.lengths(random, random.nextInt(4), 2);
    try (Recurrent layer = layer(random, inputs, hidden);
        PackedSequence input = PackedSequence.of(RandomArrays.sequences(random, lengths, inputs), inputs)) {
      Unroll.threads(1 + random.nextInt(3));
      float[][] before = trained(layer, input);
      Expect.sameBits(before, trained(layer, input));
      for (Parameter parameter : layer.parameters()) {
        parameter.set(RandomArrays.vector(random, parameter.size()));
      }
      float[][] changed = trained(layer, input);
      assertEquals(input.layout().rows() == 0, Arrays.deepEquals(before, changed));
      Expect.sameBits(changed, trained(layer, input));
      Expect.sameBits(changed, trained(layer, input));
    }
  }

  private static int[] lengths(Random random, double mostRows) {
    int longest = 1 + random.nextInt(random.nextInt(3) == 0 ? 3 : random.nextBoolean() ? 30 : 120);
    int most = (int) Math.min(random.nextInt(4) == 0 ? 250 : random.nextBoolean() ? 12 : 70, 1 + mostRows / longest);
    int sequences = random.nextInt(most + 1);
    int[] lengths = RandomArrays.lengths(random, sequences, longest);
    if (random.nextInt(3) == 0) {
      Arrays.fill(lengths, longest);
    }
    return lengths;
  }

  private static Recurrent layer(Random random, int inputs, int hidden) {
    RecurrentBuilder<?, ? extends Recurrent> builder =
        switch (random.nextInt(6)) {
          case 0 -> Rnn.builder(inputs, hidden);
          case 1 -> Lstm.builder(inputs, hidden);
          case 2 -> Lstm.builder(inputs, hidden).projectionSize(1 + random.nextInt(hidden - 1));
          case 3 -> Lstm.builder(inputs, hidden).peepholes(true);
          case 4 -> Gru.builder(inputs, hidden);
          default -> Gru.builder(inputs, hidden).resetBefore(true);
        };
    builder.seed(random.nextLong());
    builder.layers(1 + random.nextInt(4));
    builder.bidirectional(random.nextInt(3) == 0);
    builder.bias(random.nextInt(4) != 0);
    return builder.build();
  }

  /** Outputs, gradients of the inputs and of the parameters, whose output gradients are the outputs. */
  private static float[][] trained(Recurrent layer, PackedSequence input) {
    List<Parameter> parameters = layer.parameters();
    parameters.forEach(Parameter::zeroGradient);
    try (RecurrentOutput output = layer.forward(input);
        RecurrentGradients gradients = layer.backward(output, output.outputs(), null)) {
      float[][] outputs = output.outputs().toFlatArrays();
      float[][] ofInput = gradients.input().toFlatArrays();
      float[][] all = Arrays.copyOf(outputs, outputs.length + ofInput.length + parameters.size());
      System.arraycopy(ofInput, 0, all, outputs.length, ofInput.length);
      for (int i = 0; i < parameters.size(); i++) {
        all[outputs.length + ofInput.length + i] = parameters.get(i).gradient();
      }
      return all;
    }
  }

  /** The steps that all sequences have. */
  private static void stepByStep(Recurrent layer, float[][][] x, float[][] outputs) {
    int sequences = x.length;
    int size = layer.outputSize();
    int steps = Arrays.stream(x).mapToInt(sequence -> sequence.length).min().orElse(0);
    float[] in = new float[sequences * layer.inputSize()];
    float[] out = new float[sequences * size];
    try (RecurrentSession session = layer.session(sequences)) {
      for (int t = 0; t < Math.min(steps, 8); t++) {
        for (int b = 0; b < sequences; b++) {
          System.arraycopy(x[b][t], 0, in, b * layer.inputSize(), layer.inputSize());
        }
        session.step(in, out);
        for (int b = 0; b < sequences; b++) {
          float[] expected = Arrays.copyOfRange(outputs[b], t * size, (t + 1) * size);
          assertArrayEquals(Expect.bits(expected), Expect.bits(Arrays.copyOfRange(out, b * size, (b + 1) * size)));
        }
      }
    }
  }
}
