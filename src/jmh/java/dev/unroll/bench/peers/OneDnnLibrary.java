package dev.unroll.bench.peers;

import dev.unroll.bench.work.FunctionWorkload;
import dev.unroll.bench.work.Library;
import dev.unroll.bench.work.Subject;
import dev.unroll.peers.RecurrentCase;
import java.util.Optional;

/** oneDNN. */
final class OneDnnLibrary implements Library {
  @Override
  public void threads(int count) {
    PyTorchLibrary.setThreads(count);
  }

  @Override
  public Optional<Subject> layer(RecurrentCase problem, boolean training) {
    return Optional.of(new OneDnnLayer(problem, training));
  }

  @Override
  public Optional<Subject> function(FunctionWorkload workload) {
    return Optional.of(new OneDnnFunction(workload));
  }
}
