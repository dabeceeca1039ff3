package dev.unroll.examples;

import dev.unroll.layer.*;
import dev.unroll.sequence.*;
import dev.unroll.train.*;
import java.util.*;

/** Many to one: has a sequence of bits an odd number of ones? The last state decides. */
public class ManyToOne {
  public static void main(String[] args) {
    Random random = new Random(1);
    try (Gru gru = Gru.builder(1, 16).seed(1).build();
        Linear classes = new Linear(16, 2, 2);
        Adam adam = Adam.builder(Layer.parametersOf(gru, classes)).learningRate(0.01).clipNorm(1).build()) {
      double loss = 0;
      for (int step = 0; step < 600; step++) {
        float[][][] bits = new float[32][][];
        int[] parity = new int[32];
        for (int b = 0; b < 32; b++) {
          bits[b] = new float[1 + random.nextInt(8)][1];
          for (float[] bit : bits[b]) parity[b] ^= (int) (bit[0] = random.nextInt(2));
        }
        try (PackedSequence input = PackedSequence.of(bits, 1);
            PackedTokens targets = PackedTokens.ofLabels(parity, 2);
            RecurrentOutput states = gru.forward(input);
            PackedSequence last = states.last();
            PackedSequence scores = classes.forward(last);
            LossGradient result = new CrossEntropy(Divisor.MEAN_OVER_STEPS).gradient(scores, targets);
            PackedSequence dLast = classes.backward(last, result.gradient())) {
          gru.backwardFromLast(states, dLast).close();
          loss = Training.update(adam, result);
        }
      }
      System.out.printf(Locale.ROOT, "loss %.4f%n", loss);
    }
  }
}
