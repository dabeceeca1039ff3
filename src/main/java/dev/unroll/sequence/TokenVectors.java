package dev.unroll.sequence;

import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.MemorySource;
import java.util.Arrays;
import java.util.function.Function;

/**
 * The vectors of a batch's tokens, each distinct token's once. A recurrent layer gives for them the bits that it gives
 * for a {@link PackedSequence} with a vector for every step, but computes what depends on the token alone once for each
 * distinct one: its share of the gates, and in the backward pass the gradients of its vector and of the input weights.
 * The more often tokens occur, the more that saves: nearly all of it for characters. If hardly any token occurs twice,
 * it costs up to a sixth more instead. The output of a layer keeps the gates of every distinct token, {@code infer}'s
 * too.
 *
 * <pre>{@code
 * try (TokenVectors input = TokenVectors.of(tokens, embedding::forward);
 *     RecurrentOutput states = lstm.forward(input)) {
 *   ...
 *   try (RecurrentGradients gradients = lstm.backward(states, statesGradient, null)) {
 *     embedding.backward(input.distinct(), gradients.input());
 *   }
 * }
 * }</pre>
 *
 * <p>The gradients of the vectors and of the input weights are summed in another order than with a vector for every
 * step, first over the steps of each token, so they may differ from those in their last bits; they depend as little on
 * the order of the sequences, on threads and on the instruction set.
 *
 * <p>Its content does not change once it is made, so several threads may read it. Close it to free its memory.
 */
public final class TokenVectors implements StepVectors, AutoCloseable {
  private final PackedTokens distinct;
  private final PackedTokens places;
  private final PackedSequence vectors;

  private TokenVectors(PackedTokens distinct, PackedTokens places, PackedSequence vectors) {
    this.distinct = distinct;
    this.places = places;
    this.vectors = vectors;
  }

  /**
   * Computes the vector of every distinct token.
   *
   * @param tokens any batch; it may be closed afterwards
   * @param layers gives a vector for every token of a batch, such as {@code embedding::forward}, of that token alone;
   *     called once, with {@link #distinct()}. Its result is closed with this object
   * @return the vectors, laid out as the tokens
   * @throws NullPointerException if an argument is null, or what {@code layers} returns
   * @throws IllegalArgumentException if what {@code layers} returns is laid out otherwise than what it was given
   * @throws IllegalStateException if the tokens are closed, or what {@code layers} was given or returns
   */
  public static TokenVectors of(PackedTokens tokens, Function<PackedTokens, PackedSequence> layers) {
    int[] rows = Checks.notNull("tokens", tokens).rows();
    Checks.notNull("layers", layers);
    int[] values = distinct(rows);
    for (int r = 0; r < rows.length; r++) {
      rows[r] = Arrays.binarySearch(values, rows[r]);
    }
    MemorySource source = tokens.source();
    SequenceLayout one = SequenceLayout.of(values.length);
    try (Lease lease = new Lease()) {
      PackedTokens distinct = lease.result(PackedTokens.ofRows(source, one, tokens.vocabulary(), values));
      PackedTokens places =
          lease.result(PackedTokens.ofRows(source, tokens.layout(), Math.max(1, values.length), rows));
      PackedSequence vectors = lease.result(Checks.notNull("result of layers", layers.apply(distinct)));
      vectors.layout().requireSame("result of layers", "distinct tokens", one);
      vectors.address(lease); // neither may have been closed
      distinct.address(lease);
      return lease.done(new TokenVectors(distinct, places, vectors));
    }
  }

  /** Each value once, ascending. */
  private static int[] distinct(int[] values) {
    int[] sorted = values.clone();
    Arrays.sort(sorted);
    int count = 0;
    for (int i = 0; i < sorted.length; i++) {
      if (i == 0 || sorted[i] != sorted[i - 1]) {
        sorted[count++] = sorted[i];
      }
    }
    return Arrays.copyOf(sorted, count);
  }

  /**
   * Returns the tokens that occur.
   *
   * @return one sequence of all of them, ascending; closed with this object
   */
  public PackedTokens distinct() {
    return distinct;
  }

  /**
   * Returns the vectors of the tokens that occur.
   *
   * @return laid out as {@link #distinct()}; closed with this object
   */
  public PackedSequence vectors() {
    return vectors;
  }

  /**
   * Returns which of the vectors each step has.
   *
   * @return laid out as the tokens; each is the number of a step of {@link #distinct()}. Closed with this object
   */
  public PackedTokens places() {
    return places;
  }

  @Override
  public SequenceLayout layout() {
    return places.layout();
  }

  @Override
  public int features() {
    return vectors.features();
  }

  /**
   * Tells whether the memory has been freed.
   *
   * @return true after {@link #close}
   * @hidden
   */
  @Override
  public boolean isClosed() {
    return vectors.isClosed();
  }

  /**
   * Returns where results that belong with this batch take their memory from.
   *
   * @return the source
   * @hidden
   */
  @Override
  public MemorySource source() {
    return vectors.source();
  }

  /** Frees the memory; calling it again does nothing. */
  @Override
  public void close() {
    vectors.close();
    places.close();
    distinct.close();
  }

  @Override
  public String toString() {
    return "TokenVectors(" + layout() + ", " + distinct.layout().rows() + " distinct, " + features() + " features)";
  }
}
