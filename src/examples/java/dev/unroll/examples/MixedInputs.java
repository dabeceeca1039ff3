package dev.unroll.examples;

import dev.unroll.layer.*;
import dev.unroll.sequence.*;
import dev.unroll.train.*;
import java.util.*;

/** Many to one from tokens and numbers side by side: did the second sensor ever measure more than 0.7? */
public class MixedInputs {
  public static void main(String[] args) {
    Random random = new Random(1);
    try (Embedding sensors = new Embedding(2, 3, 1);
        Gru gru = Gru.builder(4, 16).seed(2).build();
        Linear classes = new Linear(16, 2, 3);
        Adam adam = Adam.builder(Layer.parametersOf(sensors, gru, classes)).learningRate(0.01).build()) {
      double loss = 0;
      for (int step = 0; step < 300; step++) {
        int[][] who = new int[32][];
        float[][][] measured = new float[32][][];
        int[] alarm = new int[32];
        for (int b = 0; b < 32; b++) {
          who[b] = random.ints(1 + random.nextInt(9), 0, 2).toArray();
          measured[b] = new float[who[b].length][1];
          for (int t = 0; t < who[b].length; t++)
            if ((measured[b][t][0] = random.nextFloat()) > 0.7f) alarm[b] |= who[b][t];
        }
        try (PackedTokens tokens = PackedTokens.of(who, 2);
            PackedSequence numbers = PackedSequence.of(measured, 1);
            PackedTokens targets = PackedTokens.ofLabels(alarm, 2);
            PackedSequence vectors = sensors.forward(tokens);
            PackedSequence input = Features.concatenate(vectors, numbers);
            RecurrentOutput states = gru.forward(input);
            PackedSequence most = Pooling.MAX.forward(states.outputs());
            PackedSequence scores = classes.forward(most);
            LossGradient result = new CrossEntropy(Divisor.MEAN_OVER_STEPS).gradient(scores, targets);
            PackedSequence dMost = classes.backward(most, result.gradient());
            PackedSequence dStates = Pooling.MAX.backward(states.outputs(), most, dMost);
            RecurrentGradients dInput = gru.backward(states, dStates, null);
            PackedSequence dVectors = Features.slice(dInput.input(), 0, vectors.features())) {
          sensors.backward(tokens, dVectors);
          loss = Training.update(adam, result);
        }
      }
      System.out.printf(Locale.ROOT, "loss %.4f%n", loss);
    }
  }
}
