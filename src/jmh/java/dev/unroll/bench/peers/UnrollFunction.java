package dev.unroll.bench.peers;

import dev.unroll.Workspace;
import dev.unroll.bench.work.FunctionWorkload;
import dev.unroll.bench.work.Subject;
import dev.unroll.layer.Activation;
import dev.unroll.layer.Softmax;
import dev.unroll.sequence.PackedSequence;
import java.util.Arrays;
import java.util.Map;
import java.util.function.UnaryOperator;

/** A function of this library, on one sequence of all rows. */
final class UnrollFunction implements Subject {
  private final Workspace workspace = new Workspace();
  private final UnaryOperator<PackedSequence> function;
  private final PackedSequence input;

  UnrollFunction(FunctionWorkload workload) {
    function = function(workload.function());
    float[] values = workload.input();
    int columns = workload.columns();
    float[][][] sequence = new float[1][workload.rows()][];
    for (int i = 0; i < sequence[0].length; i++) {
      sequence[0][i] = Arrays.copyOfRange(values, i * columns, (i + 1) * columns);
    }
    input = PackedSequence.of(workspace, sequence, columns);
  }

  private static UnaryOperator<PackedSequence> function(FunctionWorkload.Function function) {
    Softmax softmax = new Softmax();
    return switch (function) {
      case SOFTMAX -> softmax::forward;
      case LOG_SOFTMAX -> softmax::logForward;
      case TANH -> Activation.TANH::forward;
      case SIGMOID -> Activation.SIGMOID::forward;
      case SOFTPLUS -> Activation.SOFTPLUS::forward;
      case EXP -> Activation.EXP::forward;
      case LOG -> Activation.LOG::forward;
    };
  }

  @Override
  public void run() {
    function.apply(input).close();
  }

  @Override
  public Map<String, float[]> results() {
    try (PackedSequence output = function.apply(input)) {
      return Map.of(FunctionWorkload.OUTPUT, output.toFlatArrays()[0]);
    }
  }

  @Override
  public void close() {
    input.close();
    workspace.close();
  }
}
