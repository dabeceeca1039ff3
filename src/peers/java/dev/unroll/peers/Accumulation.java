package dev.unroll.peers;

import dev.unroll.Unroll;
import dev.unroll.layer.Linear;
import dev.unroll.sequence.PackedSequence;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Compares the errors of long sums of products with PyTorch's: outputs of a linear layer of K inputs on the same data,
 * each against double precision, relative to the sum of the magnitudes, in units of 2^-24.
 */
public final class Accumulation {
  private static final int ROWS = 64;
  private static final int OUTPUTS = 48;

  /** Of our root mean square to theirs: the same up to a block of 256, where both sum alike, smaller from there on. */
  private static final double LIMIT = 1.01;

  private static final int[] SIZES = {16, 100, 256, 1000, 3000, 10_000, 30_000, 100_000};

  private boolean failed;

  private Accumulation() {}

  /** Takes nothing. */
  public static void main(String[] arguments) {
    System.out.printf(
        "Unroll (%s) and PyTorch %s: errors of sums of K products%n",
        Unroll.instructionSet(), Tensor.class.getPackage().getImplementationVersion());
    System.out.printf("%8s %-9s %21s %21s%n", "K", "products", "mean square, root", "largest");
    System.out.printf("%8s %-9s %10s %10s %10s %10s%n", "", "", "Unroll", "PyTorch", "Unroll", "PyTorch");
    Accumulation accumulation = new Accumulation();
    for (int k : SIZES) {
      accumulation.compare(k, "of both signs", -1);
      accumulation.compare(k, "positive", 0);
    }
    System.out.println(accumulation.failed ? "\nFAILED: above the limit" : "\nours at most " + LIMIT + " times theirs");
    System.exit(accumulation.failed ? 1 : 0);
  }

  private void compare(int k, String name, float low) {
    Random random = new Random(k);
    float[] x = uniform(random, ROWS * k, low);
    float[] weight = uniform(random, OUTPUTS * k, low);
    Errors ours = new Errors();
    Errors theirs = new Errors();
    float[] y = unroll(k, x, weight);
    float[] peer = pytorch(k, x, weight);
    for (int r = 0; r < ROWS; r++) {
      for (int o = 0; o < OUTPUTS; o++) {
        double sum = 0;
        double magnitude = 0;
        for (int i = 0; i < k; i++) {
          double product = (double) x[r * k + i] * weight[o * k + i];
          sum += product;
          magnitude += Math.abs(product);
        }
        ours.add((y[r * OUTPUTS + o] - sum) / magnitude);
        theirs.add((peer[r * OUTPUTS + o] - sum) / magnitude);
      }
    }
    System.out.printf(
        "%8d %-13s %6.3f %10.3f %10.3f %10.3f%n",
        k, name, ours.rootMeanSquare(), theirs.rootMeanSquare(), ours.largest, theirs.largest);
    failed |= ours.rootMeanSquare() > LIMIT * theirs.rootMeanSquare();
  }

  private static float[] uniform(Random random, int size, float low) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = low + (1 - low) * random.nextFloat();
    }
    return values;
  }

  private static float[] unroll(int k, float[] x, float[] weight) {
    try (Linear layer = new Linear(k, OUTPUTS, 1)) {
      layer.parameter("weight").set(weight);
      layer.parameter("bias").set(new float[OUTPUTS]);
      try (PackedSequence input = PackedSequence.ofFlat(new float[][] {x}, k);
          PackedSequence output = layer.forward(input)) {
        return output.toFlatArrays()[0];
      }
    }
  }

  @SuppressWarnings("try") // the scope works by being open
  private static float[] pytorch(int k, float[] x, float[] weight) {
    try (PointerScope scope = new PointerScope()) {
      torch.set_num_threads(1);
      Tensor product = Tensor.create(x, ROWS, k).mm(Tensor.create(weight, OUTPUTS, k).t());
      float[] values = new float[ROWS * OUTPUTS];
      product.contiguous().data_ptr_float().get(values);
      return values;
    }
  }

  /** In units of 2^-24. */
  private static final class Errors {
    private double largest;
    private double squares;
    private int count;

    void add(double error) {
      double units = error * 0x1p24;
      largest = Math.max(largest, Math.abs(units));
      squares += units * units;
      count++;
    }

    double rootMeanSquare() {
      return Math.sqrt(squares / count);
    }
  }
}
