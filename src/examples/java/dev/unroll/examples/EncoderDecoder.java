package dev.unroll.examples;

import dev.unroll.layer.*;
import dev.unroll.sequence.*;
import dev.unroll.train.*;
import java.util.*;

/** Many to many out of step: reads a word, then writes it backwards. The encoder's final state starts the decoder. */
public class EncoderDecoder {
  public static void main(String[] args) {
    Random random = new Random(1);
    try (Embedding symbols = new Embedding(6, 16, 1); // letters 1..5; 0 starts and ends a word
        Gru encoder = Gru.builder(16, 48).seed(2).build();
        Gru decoder = Gru.builder(16, 48).seed(3).build();
        Linear letters = new Linear(48, 6, 4);
        Adam adam = Adam.builder(Layer.parametersOf(symbols, encoder, decoder, letters)).learningRate(0.01).build()) {
      for (int step = 0; step < 500; step++) {
        int[][] words = new int[32][], given = new int[32][], wanted = new int[32][];
        for (int b = 0; b < 32; b++) {
          int[] w = words[b] = random.ints(1 + random.nextInt(4), 1, 6).toArray();
          wanted[b] = new int[w.length + 1]; // backwards, then the end; what is given is one step behind
          given[b] = new int[w.length + 1];
          for (int t = 0; t < w.length; t++) wanted[b][t] = given[b][t + 1] = w[w.length - 1 - t];
        }
        try (PackedTokens x = PackedTokens.of(words, 6);
            PackedTokens g = PackedTokens.of(given, 6);
            PackedTokens y = PackedTokens.of(wanted, 6);
            PackedSequence xv = symbols.forward(x);
            PackedSequence gv = symbols.forward(g);
            RecurrentOutput read = encoder.forward(xv);
            RecurrentOutput written = decoder.forward(gv, read.finalState());
            PackedSequence scores = letters.forward(written.outputs());
            LossGradient result = new CrossEntropy(Divisor.MEAN_OVER_STEPS).gradient(scores, y);
            PackedSequence dWritten = letters.backward(written.outputs(), result.gradient());
            RecurrentGradients dGiven = decoder.backward(written, dWritten, null);
            RecurrentGradients dRead = encoder.backward(read, null, dGiven.initialState())) {
          symbols.backward(g, dGiven.input());
          symbols.backward(x, dRead.input());
          double loss = Training.update(adam, result);
          if (step == 499) System.out.printf(Locale.ROOT, "loss %.4f%n", loss);
        }
      }
    }
  }
}
