package dev.unroll.bench.peers;

import dev.unroll.bench.work.FunctionWorkload;
import dev.unroll.bench.work.Subject;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** A function of PyTorch that writes into a tensor of its own. */
final class PyTorchFunction implements Subject {
  private final PointerScope scope = new PointerScope();
  private final FunctionWorkload.Function function;
  private final Tensor input;
  private final Tensor output;

  PyTorchFunction(FunctionWorkload workload) {
    function = workload.function();
    input = Tensor.create(workload.input(), workload.rows(), workload.columns());
    output = Tensor.create(workload.input(), workload.rows(), workload.columns());
  }

  @Override
  @SuppressWarnings("try") // scopes work by being open
  public void run() {
    try (PointerScope call = new PointerScope();
        InferenceMode mode = new InferenceMode()) {
      switch (function) {
        case SOFTMAX -> torch.softmax_out(output, input, 1);
        case LOG_SOFTMAX -> torch.log_softmax_out(output, input, 1);
        case TANH -> torch.tanh_out(output, input);
        case SIGMOID -> torch.sigmoid_out(output, input);
        case SOFTPLUS -> torch.softplus_out(output, input);
        case EXP -> torch.exp_out(output, input);
        case LOG -> torch.log_out(output, input);
      }
    }
  }

  @Override
  public Map<String, float[]> results() {
    run();
    return Map.of(FunctionWorkload.OUTPUT, PyTorchLayer.values(output));
  }

  @Override
  public void close() {
    scope.close();
  }
}
