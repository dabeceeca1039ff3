package dev.unroll.examples;

import dev.unroll.layer.*;
import dev.unroll.sequence.*;
import dev.unroll.train.*;
import java.util.*;

/** Many to many in step: tags every token with whether it comes again later, which takes both directions. */
public class ManyToManyInStep {
  public static void main(String[] args) {
    Random random = new Random(1);
    try (Embedding embedding = new Embedding(4, 8, 1);
        Lstm lstm = Lstm.builder(8, 16).bidirectional(true).seed(2).build();
        Linear tags = new Linear(32, 2, 3);
        Adam adam = Adam.builder(Layer.parametersOf(embedding, lstm, tags)).learningRate(0.01).build()) {
      double loss = 0;
      for (int step = 0; step < 300; step++) {
        int[][] tokens = new int[32][];
        int[][] again = new int[32][];
        for (int b = 0; b < 32; b++) {
          int[] s = tokens[b] = random.ints(random.nextInt(10), 0, 4).toArray();
          again[b] = new int[s.length];
          for (int t = 0; t < s.length; t++) for (int u = t + 1; u < s.length; u++) if (s[u] == s[t]) again[b][t] = 1;
        }
        try (PackedTokens input = PackedTokens.of(tokens, 4);
            PackedTokens targets = PackedTokens.of(again, 2);
            TokenVectors vectors = TokenVectors.of(input, embedding::forward);
            RecurrentOutput states = lstm.forward(vectors);
            PackedSequence scores = tags.forward(states.outputs());
            LossGradient result = new CrossEntropy(Divisor.MEAN_OVER_STEPS).gradient(scores, targets);
            PackedSequence dStates = tags.backward(states.outputs(), result.gradient());
            RecurrentGradients dVectors = lstm.backward(states, dStates, null)) {
          embedding.backward(vectors.distinct(), dVectors.input());
          loss = Training.update(adam, result);
        }
      }
      System.out.printf(Locale.ROOT, "loss %.4f%n", loss);
    }
  }
}
