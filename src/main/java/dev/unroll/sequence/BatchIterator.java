package dev.unroll.sequence;

import dev.unroll.internal.Checks;
import dev.unroll.internal.RandomPurpose;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * The batches of a {@link Batching}, one after the other. Windows are kept here while they fill, so that an example
 * that cannot be read or is refused loses no other one.
 */
final class BatchIterator<E> implements Iterator<List<E>> {
  private final BatchingOptions<E> options;
  private final Iterator<? extends E> examples;
  private final Order exampleOrder;
  private final Order batchOrder;

  private final List<Example<E>> filling = new ArrayList<>(); // the next window to be shuffled
  private final List<Example<E>> shuffled = new ArrayList<>(); // in the opposite order: the last one comes next
  private final List<Example<E>> group = new ArrayList<>(); // the next window to be sorted by length
  private final Deque<List<E>> ready = new ArrayDeque<>();
  private List<Example<E>> open = new ArrayList<>(); // the batch that is not full yet
  private long openSteps;
  private long examplesRead;
  private boolean longestFirst;

  BatchIterator(BatchingOptions<E> options, Iterator<? extends E> examples) {
    this.options = options;
    this.examples = examples;
    exampleOrder = new Order(RandomPurpose.seedOf(options.seed(), 0));
    batchOrder = new Order(RandomPurpose.seedOf(options.seed(), 1));
  }

  private record Example<E>(E value, int length) {}

  @Override
  public boolean hasNext() {
    while (ready.isEmpty() && (hasExample() || !group.isEmpty())) {
      if (options.groupWindow() > 0) {
        cutGroup();
      } else {
        add(nextExample());
      }
    }
    if (ready.isEmpty() && !open.isEmpty() && !options.dropTail()) {
      finishBatch();
    }
    return !ready.isEmpty();
  }

  @Override
  public List<E> next() {
    if (!hasNext()) {
      throw new NoSuchElementException("no batch is left");
    }
    return ready.remove();
  }

  /**
   * Cuts the next window, sorted by length. The direction changes from window to window, so that what is left of one,
   * which goes into the next, is not left again.
   */
  private void cutGroup() {
    while (group.size() < options.groupWindow() && hasExample()) {
      group.add(nextExample());
    }
    List<Example<E>> window = open;
    open = new ArrayList<>();
    openSteps = 0;
    window.addAll(group);
    group.clear();
    Comparator<Example<E>> byLength = Comparator.comparingInt(Example::length);
    window.sort(longestFirst ? byLength.reversed() : byLength);
    longestFirst = !longestFirst;
    window.forEach(this::add);
    if (options.shuffleWindow() > 0) {
      List<List<E>> batches = new ArrayList<>(ready);
      batchOrder.shuffle(batches);
      ready.clear();
      ready.addAll(batches);
    }
  }

  private void add(Example<E> example) {
    if (openSteps + example.length > options.stepsLimit()) {
      finishBatch();
    }
    open.add(example);
    openSteps += example.length;
    if (open.size() == options.sequencesLimit() || openSteps == options.stepsLimit()) {
      finishBatch();
    }
  }

  private void finishBatch() {
    List<E> batch = new ArrayList<>(open.size());
    open.forEach(example -> batch.add(example.value));
    ready.add(batch);
    open = new ArrayList<>();
    openSteps = 0;
  }

  private boolean hasExample() {
    return !shuffled.isEmpty() || !filling.isEmpty() || examples.hasNext();
  }

  private Example<E> nextExample() {
    if (options.shuffleWindow() == 0) {
      return read();
    }
    if (shuffled.isEmpty()) {
      while (filling.size() < options.shuffleWindow() && examples.hasNext()) {
        filling.add(read());
      }
      exampleOrder.shuffle(filling);
      shuffled.addAll(filling);
      filling.clear();
    }
    return shuffled.remove(shuffled.size() - 1);
  }

  private Example<E> read() {
    String name = "example " + examplesRead++;
    E value = Checks.notNull(name, examples.next());
    int length = options.length().applyAsInt(value);
    boolean inRange = length >= 0 && length <= options.stepsLimit();
    String expected = "0 to " + options.stepsLimit() + ", the most steps of a batch";
    Checks.require(inRange, "length of " + name, length, expected);
    return new Example<>(value, length);
  }

  /** Random numbers that depend on a seed and on how many were drawn. */
  private static final class Order {
    private final long seed;
    private int drawn;

    Order(long seed) {
      this.seed = seed;
    }

    /** R. A. Fisher and F. Yates: every order is equally probable. */
    void shuffle(List<?> list) {
      for (int last = list.size() - 1; last > 0; last--) {
        long random = RandomPurpose.seedOf(seed, drawn++) >>> 32;
        Collections.swap(list, last, (int) (random * (last + 1) >>> 32));
      }
    }
  }
}
