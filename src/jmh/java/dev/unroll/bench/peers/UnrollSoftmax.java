package dev.unroll.bench.peers;

import dev.unroll.Workspace;
import dev.unroll.bench.FunctionWorkload;
import dev.unroll.layer.Softmax;
import dev.unroll.sequence.PackedSequence;
import java.util.Arrays;
import java.util.Map;

/** Softmax and its logarithm, one sequence of all rows. */
final class UnrollSoftmax implements Subject {
  private final boolean logarithm;
  private final Workspace workspace = new Workspace();
  private final Softmax softmax = new Softmax();
  private final PackedSequence scores;

  UnrollSoftmax(FunctionWorkload workload) {
    logarithm = workload.function() == FunctionWorkload.Function.LOG_SOFTMAX;
    float[] values = workload.input();
    int columns = workload.columns();
    float[][][] sequence = new float[1][workload.rows()][];
    for (int i = 0; i < sequence[0].length; i++) {
      sequence[0][i] = Arrays.copyOfRange(values, i * columns, (i + 1) * columns);
    }
    scores = PackedSequence.of(workspace, sequence, columns);
  }

  private PackedSequence forward() {
    return logarithm ? softmax.logForward(scores) : softmax.forward(scores);
  }

  @Override
  public void run() {
    forward().close();
  }

  @Override
  public Map<String, float[]> results() {
    try (PackedSequence output = forward()) {
      return Map.of(FunctionWorkload.OUTPUT, output.toFlatArrays()[0]);
    }
  }

  @Override
  public void close() {
    scores.close();
    workspace.close();
  }
}
