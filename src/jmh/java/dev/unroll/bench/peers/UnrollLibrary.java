package dev.unroll.bench.peers;

import dev.unroll.Unroll;
import dev.unroll.bench.CharacterModelWorkload;
import dev.unroll.bench.FunctionWorkload;
import dev.unroll.bench.PackingWorkload;
import dev.unroll.peers.RecurrentCase;
import java.util.Optional;

/** This library. */
final class UnrollLibrary implements Library {
  @Override
  public void threads(int count) {
    Unroll.threads(count);
  }

  @Override
  public Optional<Subject> layer(RecurrentCase problem, boolean training) {
    return Optional.of(new UnrollLayer(problem, training));
  }

  @Override
  public Optional<Subject> function(FunctionWorkload workload) {
    return UnrollFunction.of(workload);
  }

  @Override
  public Optional<Subject> characterModel(CharacterModelWorkload workload) {
    return Optional.of(new UnrollCharacterModel(workload));
  }

  @Override
  public Optional<Subject> stream(int hidden) {
    return Optional.of(new UnrollStream(hidden));
  }

  @Override
  public Optional<Subject> packing(PackingWorkload workload) {
    return Optional.of(new UnrollPacking(workload));
  }
}
