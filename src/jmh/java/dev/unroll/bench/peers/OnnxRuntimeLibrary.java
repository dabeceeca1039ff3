package dev.unroll.bench.peers;

import ai.onnxruntime.OrtException;
import dev.unroll.bench.work.FunctionWorkload;
import dev.unroll.bench.work.Library;
import dev.unroll.bench.work.Subject;
import dev.unroll.peers.RecurrentCase;
import java.util.Optional;

/** ONNX Runtime, which does not train. */
final class OnnxRuntimeLibrary implements Library {
  private int threads = 1;

  @Override
  public void threads(int count) {
    threads = count;
  }

  @Override
  public Optional<Subject> layer(RecurrentCase problem, boolean training) {
    try {
      return training ? Optional.empty() : Optional.of(new OnnxRuntimeLayer(problem, threads));
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public Optional<Subject> function(FunctionWorkload workload) {
    try {
      return Optional.of(new OnnxRuntimeFunction(workload, threads));
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }
}
