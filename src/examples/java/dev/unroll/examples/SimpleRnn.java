package dev.unroll.examples;

import dev.unroll.layer.*;
import dev.unroll.sequence.*;
import dev.unroll.train.*;
import java.util.Locale;

/** The textbook's SimpleRNN(input_size=1, hidden_size=50, num_layers=1, output_size=1): forecasts a sine. */
public class SimpleRnn {
  public static void main(String[] args) {
    float[][][] windows = new float[64][20][1];
    float[][][] next = new float[64][1][1];
    for (int b = 0; b < 64; b++) {
      for (int t = 0; t < 20; t++) windows[b][t][0] = (float) Math.sin(0.3 * (b + t));
      next[b][0][0] = (float) Math.sin(0.3 * (b + 20));
    }
    try (Rnn rnn = Rnn.builder(1, 50).seed(1).build();
        Linear linear = new Linear(50, 1, 2);
        Adam adam = Adam.builder(Layer.parametersOf(rnn, linear)).learningRate(0.003).clipNorm(1).build();
        PackedSequence input = PackedSequence.of(windows, 1);
        PackedSequence targets = PackedSequence.of(next, 1)) {
      double loss = 0;
      for (int step = 0; step < 200; step++) {
        try (RecurrentOutput states = rnn.forward(input);
            PackedSequence last = states.last();
            PackedSequence forecast = linear.forward(last);
            LossGradient result = new SquaredError(Divisor.MEAN_OVER_STEPS).gradient(forecast, targets);
            PackedSequence dLast = linear.backward(last, result.gradient())) {
          rnn.backwardFromLast(states, dLast).close();
          loss = Training.update(adam, result);
        }
      }
      System.out.printf(Locale.ROOT, "loss %.5f%n", loss);
    }
  }
}
