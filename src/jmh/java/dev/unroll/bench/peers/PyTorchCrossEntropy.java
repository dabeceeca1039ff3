package dev.unroll.bench.peers;

import dev.unroll.bench.work.CrossEntropyWorkload;
import dev.unroll.bench.work.Subject;
import java.util.Arrays;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** PyTorch's cross-entropy, forward and backward. */
final class PyTorchCrossEntropy implements Subject {
  private final PointerScope scope = new PointerScope();
  private final Tensor scores;
  private final Tensor labels;

  PyTorchCrossEntropy(CrossEntropyWorkload workload) {
    scores = Tensor.create(workload.scores(), workload.rows(), workload.columns()).set_requires_grad(true);
    labels = Tensor.create(Arrays.stream(workload.labels()).asLongStream().toArray(), workload.rows());
  }

  private static Tensor gradient(Tensor loss, Tensor of) {
    return torch.grad(new TensorVector(loss), new TensorVector(of)).get(0);
  }

  @Override
  @SuppressWarnings("try") // the scope works by being open
  public void run() {
    try (PointerScope call = new PointerScope()) {
      gradient(torch.cross_entropy_loss(scores, labels), scores);
    }
  }

  @Override
  @SuppressWarnings("try")
  public Map<String, float[]> results() {
    try (PointerScope call = new PointerScope()) {
      Tensor loss = torch.cross_entropy_loss(scores, labels);
      return Map.of(
          CrossEntropyWorkload.LOSS,
          new float[] {loss.item_float()},
          CrossEntropyWorkload.GRADIENT,
          PyTorchLayer.values(gradient(loss, scores)));
    }
  }

  @Override
  public void close() {
    scope.close();
  }
}
