package dev.unroll.bench.peers;

import dev.unroll.Workspace;
import dev.unroll.bench.work.CrossEntropyWorkload;
import dev.unroll.bench.work.Subject;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import dev.unroll.train.CrossEntropy;
import dev.unroll.train.Divisor;
import dev.unroll.train.LossGradient;
import java.util.Arrays;
import java.util.Map;

/** The loss of this library, on one sequence of all rows. */
final class UnrollCrossEntropy implements Subject {
  private final Workspace workspace = new Workspace();
  private final CrossEntropy loss = new CrossEntropy(Divisor.MEAN_OVER_STEPS);
  private final PackedSequence scores;
  private final PackedTokens labels;

  UnrollCrossEntropy(CrossEntropyWorkload workload) {
    int columns = workload.columns();
    float[] values = workload.scores();
    float[][][] sequence = new float[1][workload.rows()][];
    Arrays.setAll(sequence[0], r -> Arrays.copyOfRange(values, r * columns, (r + 1) * columns));
    scores = PackedSequence.of(workspace, sequence, columns);
    labels = PackedTokens.of(new int[][] {workload.labels()}, columns);
  }

  @Override
  public void run() {
    loss.gradient(scores, labels).close();
  }

  @Override
  public Map<String, float[]> results() {
    try (LossGradient result = loss.gradient(scores, labels)) {
      return Map.of(
          CrossEntropyWorkload.LOSS,
          new float[] {(float) result.loss()},
          CrossEntropyWorkload.GRADIENT,
          result.gradient().toFlatArrays()[0]);
    }
  }

  @Override
  public void close() {
    labels.close();
    scores.close();
    workspace.close();
  }
}
