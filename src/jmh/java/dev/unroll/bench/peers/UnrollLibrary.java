package dev.unroll.bench.peers;

import dev.unroll.Unroll;
import dev.unroll.bench.work.CharacterModelWorkload;
import dev.unroll.bench.work.CrossEntropyWorkload;
import dev.unroll.bench.work.FunctionWorkload;
import dev.unroll.bench.work.Library;
import dev.unroll.bench.work.PackingWorkload;
import dev.unroll.bench.work.Subject;
import dev.unroll.bench.work.TokenWorkload;
import dev.unroll.peers.RecurrentCase;
import java.util.Arrays;
import java.util.Optional;

/** This library. */
final class UnrollLibrary implements Library {
  @Override
  public void threads(int count) {
    Unroll.threads(count);
  }

  @Override
  public Optional<Subject> layer(RecurrentCase problem, boolean training) {
    int steps = Arrays.stream(problem.shape().lengths()).max().orElse(0);
    return Optional.of(steps == 1 && !training ? new UnrollStep(problem) : new UnrollLayer(problem, training));
  }

  @Override
  public Optional<Subject> function(FunctionWorkload workload) {
    return Optional.of(new UnrollFunction(workload));
  }

  @Override
  public Optional<Subject> crossEntropy(CrossEntropyWorkload workload) {
    return Optional.of(new UnrollCrossEntropy(workload));
  }

  @Override
  public Optional<Subject> characterModel(CharacterModelWorkload workload) {
    return Optional.of(new UnrollCharacterModel(workload));
  }

  @Override
  public Optional<Subject> tokens(TokenWorkload workload) {
    return Optional.of(new UnrollTokens(workload));
  }

  @Override
  public Optional<Subject> packing(PackingWorkload workload) {
    return Optional.of(new UnrollPacking(workload));
  }
}
