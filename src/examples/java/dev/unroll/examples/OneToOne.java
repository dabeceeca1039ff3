package dev.unroll.examples;

import dev.unroll.layer.*;
import dev.unroll.sequence.*;

/** One to one: a single step in, a single step out, with the state kept by whoever asks: a stream of readings. */
public class OneToOne {
  public static void main(String[] args) {
    float[] readings = {0.1f, 0.4f, -0.2f};
    try (LstmCell cell = LstmCell.of(1, 8, 1);
        Linear alarm = new Linear(8, 1, 2)) {
      State state = null;
      for (float reading : readings) {
        State next = cell.step(new float[][] {{reading}}, state);
        if (state != null) state.close();
        state = next;
        try (PackedSequence h = PackedSequence.of(new float[][][] {{state.hidden()[0][0]}}, 8);
            PackedSequence score = alarm.forward(h)) {
          System.out.println(score.step(0, 0)[0]);
        }
      }
      state.close();
    }
  }
}
