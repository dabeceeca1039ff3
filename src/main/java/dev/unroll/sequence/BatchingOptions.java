package dev.unroll.sequence;

import java.util.function.ToIntFunction;

/** How a {@link Batching} cuts; a limit or a window of 0 means that there is none. */
record BatchingOptions<E>(
    ToIntFunction<? super E> length,
    int maxSequences,
    int maxSteps,
    long seed,
    int shuffleWindow,
    int groupWindow,
    boolean dropTail) {
  private static final int DEFAULT_SEQUENCES = 32;

  /**
   * The default holds only if nothing else limits a batch. A limit of steps counts a sequence without any as one step,
   * or a batch of such sequences would never end.
   */
  int sequencesLimit() {
    if (maxSequences == 0) {
      return maxSteps == 0 ? DEFAULT_SEQUENCES : maxSteps;
    }
    return maxSequences;
  }

  int stepsLimit() {
    return maxSteps == 0 ? Integer.MAX_VALUE : maxSteps;
  }

  BatchingOptions<E> withMaxSequences(int most) {
    return new BatchingOptions<>(length, most, maxSteps, seed, shuffleWindow, groupWindow, dropTail);
  }

  BatchingOptions<E> withMaxSteps(int most) {
    return new BatchingOptions<>(length, maxSequences, most, seed, shuffleWindow, groupWindow, dropTail);
  }

  BatchingOptions<E> withShuffling(long newSeed, int window) {
    return new BatchingOptions<>(length, maxSequences, maxSteps, newSeed, window, groupWindow, dropTail);
  }

  BatchingOptions<E> withGrouping(int window) {
    return new BatchingOptions<>(length, maxSequences, maxSteps, seed, shuffleWindow, window, dropTail);
  }

  BatchingOptions<E> withDropTail(boolean drop) {
    return new BatchingOptions<>(length, maxSequences, maxSteps, seed, shuffleWindow, groupWindow, drop);
  }
}
