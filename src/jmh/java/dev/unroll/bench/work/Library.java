package dev.unroll.bench.work;

import dev.unroll.peers.RecurrentCase;
import java.util.Optional;

/** A library whose speed is measured. What it cannot do is empty. */
public interface Library {
  /** Sets how many threads work on a call; takes effect for what is prepared afterwards by this thread. */
  void threads(int count);

  /** A layer forward or, in training, forward and backward; results are named as {@link RecurrentCase} says. */
  default Optional<Subject> layer(RecurrentCase problem, boolean training) {
    return Optional.empty();
  }

  /** A function; the result is {@link FunctionWorkload#OUTPUT}. */
  default Optional<Subject> function(FunctionWorkload workload) {
    return Optional.empty();
  }

  /** The results are {@link CrossEntropyWorkload#LOSS} and {@link CrossEntropyWorkload#GRADIENT}. */
  default Optional<Subject> crossEntropy(CrossEntropyWorkload workload) {
    return Optional.empty();
  }

  /**
   * A training step; results are the gradients of the first step by {@link RecurrentCase#GRADIENT} and the names of
   * the weights, and the {@link CharacterModelWorkload#LOSSES}.
   */
  default Optional<Subject> characterModel(CharacterModelWorkload workload) {
    return Optional.empty();
  }

  /** An embedding and an LSTM over it; results are the outputs and, in training, the gradients of all weights. */
  default Optional<Subject> tokens(TokenWorkload workload) {
    return Optional.empty();
  }

  /** Packing of a batch and taking it apart; no results. */
  default Optional<Subject> packing(PackingWorkload workload) {
    return Optional.empty();
  }
}
