package dev.unroll.sequence;

import dev.unroll.internal.Checks;
import java.util.Iterator;
import java.util.List;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * Cuts a data set of any size into batches, lazily: at most the windows named here are in memory. An example is any
 * object with a length, so inputs and targets stay together.
 *
 * <pre>{@code
 * record Example(float[][] input, int[] labels) {}
 * Batching<Example> batching = Batching.<Example>by(e -> e.labels().length).maxSteps(4096).similarLengths(2000);
 * for (int epoch = 0; epoch < epochs; epoch++) {
 *   for (List<Example> batch : batching.shuffle(seed + epoch, 50_000).over(examples)) {
 *     PackedSequence x = PackedSequence.of(batch.stream().map(Example::input).toArray(float[][][]::new), features);
 *     ...
 *   }
 * }
 * }</pre>
 *
 * <p>The batches depend on the examples, on what is set here and on nothing else. Immutable: every setting returns
 * another object.
 *
 * @param <E> the type of an example
 */
public final class Batching<E> {
  private final BatchingOptions<E> options;

  private Batching(BatchingOptions<E> options) {
    this.options = options;
  }

  /**
   * Makes batches of 32 sequences in the order of the examples, the last one with what is left.
   *
   * @param <E> the type of an example
   * @param length tells the steps of an example, 0 or more
   * @return the batching
   * @throws NullPointerException if {@code length} is null
   */
  public static <E> Batching<E> by(ToIntFunction<? super E> length) {
    Checks.notNull("length", length);
    return new Batching<>(new BatchingOptions<>(length, 0, 0, 0, 0, 0, false));
  }

  /**
   * Limits the sequences of a batch: to 32 if neither this nor {@link #maxSteps} is called.
   *
   * @param most 1 or more
   * @return this batching with the limit
   * @throws IllegalArgumentException if it is below 1
   */
  public Batching<E> maxSequences(int most) {
    return new Batching<>(options.withMaxSequences(Checks.positive("maxSequences", most)));
  }

  /**
   * Limits the real steps of a batch, and so its cost and memory. An example that is longer is refused when it is read.
   * Without {@link #maxSequences} a batch has no more sequences than this either, for some may have no steps.
   *
   * @param most 1 or more
   * @return this batching with the limit
   * @throws IllegalArgumentException if it is below 1
   */
  public Batching<E> maxSteps(int most) {
    return new Batching<>(options.withMaxSteps(Checks.positive("maxSteps", most)));
  }

  /**
   * Shuffles the examples within windows: so many are read, put into a random order and used up before more are read.
   * With {@link #similarLengths} the batches of a window are shuffled too.
   *
   * @param seed of the order; another one for every epoch
   * @param window examples in memory, 1 or more; the number of all examples, or more, shuffles them all
   * @return this batching with the order
   * @throws IllegalArgumentException if {@code window} is below 1
   */
  public Batching<E> shuffle(long seed, int window) {
    return new Batching<>(options.withShuffling(seed, Checks.positive("window", window)));
  }

  /**
   * Groups examples of similar length: so many are read, after they were shuffled, and sorted by length before they are
   * cut into batches. Packed batches cost real steps only; similar lengths still give fuller steps, which are quicker.
   * What does not fill a batch goes into the next window.
   *
   * @param window examples in memory, 1 or more; some tens of batches
   * @return this batching with groups
   * @throws IllegalArgumentException if {@code window} is below 1
   */
  public Batching<E> similarLengths(int window) {
    return new Batching<>(options.withGrouping(Checks.positive("window", window)));
  }

  /**
   * Chooses whether a last batch that is not full is left out.
   *
   * @param drop true to leave it out; by default it is kept
   * @return this batching with the choice
   */
  public Batching<E> dropTail(boolean drop) {
    return new Batching<>(options.withDropTail(drop));
  }

  /**
   * Cuts examples into batches.
   *
   * @param examples read once for every iterator of the result, as it goes on
   * @return batches that are never empty. Their iterators throw a NullPointerException for an example that is null, and
   *     an IllegalArgumentException for one whose length is negative or above the most steps of a batch; asked again,
   *     they go on with the next example
   * @throws NullPointerException if {@code examples} is null
   */
  public Iterable<List<E>> over(Iterable<? extends E> examples) {
    Checks.notNull("examples", examples);
    return () -> over(examples.iterator());
  }

  /**
   * Cuts examples into batches.
   *
   * @param examples read as the result goes on
   * @return batches, as {@link #over(Iterable)} gives them
   * @throws NullPointerException if {@code examples} is null
   */
  public Iterator<List<E>> over(Iterator<? extends E> examples) {
    return new BatchIterator<>(options, Checks.notNull("examples", examples));
  }

  /**
   * Cuts examples into batches.
   *
   * @param examples read as the result goes on, and closed with it
   * @return batches, as {@link #over(Iterable)} gives them
   * @throws NullPointerException if {@code examples} is null
   */
  public Stream<List<E>> over(Stream<? extends E> examples) {
    Iterator<List<E>> batches = over(Checks.notNull("examples", examples).iterator());
    int kind = Spliterator.ORDERED | Spliterator.NONNULL;
    return StreamSupport.stream(Spliterators.spliteratorUnknownSize(batches, kind), false).onClose(examples::close);
  }
}
