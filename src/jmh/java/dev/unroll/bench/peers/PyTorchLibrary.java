package dev.unroll.bench.peers;

import dev.unroll.bench.work.CharacterModelWorkload;
import dev.unroll.bench.work.CrossEntropyWorkload;
import dev.unroll.bench.work.FunctionWorkload;
import dev.unroll.bench.work.Library;
import dev.unroll.bench.work.Subject;
import dev.unroll.peers.RecurrentCase;
import java.util.Optional;
import org.bytedeco.openblas.presets.openblas;
import org.bytedeco.pytorch.global.torch;

/** PyTorch, with the linear algebra that this process was started with. */
final class PyTorchLibrary implements Library {
  private final boolean packed;

  /** Chooses whether sequences are packed or, if their lengths differ, padded. */
  PyTorchLibrary(boolean packed) {
    this.packed = packed;
  }

  @Override
  public void threads(int count) {
    setThreads(count);
  }

  /** For all libraries that use OpenMP: they share its run-time library in this process. */
  static void setThreads(int count) {
    torch.set_num_threads(count);
    openblas.blas_set_num_threads(count);
  }

  @Override
  public Optional<Subject> layer(RecurrentCase problem, boolean training) {
    return Optional.of(new PyTorchLayer(problem, training, packed));
  }

  @Override
  public Optional<Subject> function(FunctionWorkload workload) {
    return Optional.of(new PyTorchFunction(workload));
  }

  @Override
  public Optional<Subject> crossEntropy(CrossEntropyWorkload workload) {
    return Optional.of(new PyTorchCrossEntropy(workload));
  }

  @Override
  public Optional<Subject> characterModel(CharacterModelWorkload workload) {
    return Optional.of(new PyTorchCharacterModel(workload));
  }
}
