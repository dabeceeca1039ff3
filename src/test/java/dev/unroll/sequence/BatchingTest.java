package dev.unroll.sequence;

import static dev.unroll.Expect.refusal;
import static dev.unroll.Expect.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class BatchingTest {
  private record Example(int index, int length) {}

  private static final Batching<Example> BY_LENGTH = Batching.by(Example::length);

  private static List<Example> examples(int count, int longest) {
    Random random = new Random(3);
    return IntStream.range(0, count).mapToObj(i -> new Example(i, random.nextInt(longest + 1))).toList();
  }

  private static List<List<Example>> batches(Batching<Example> batching, List<Example> examples) {
    List<List<Example>> batches = new ArrayList<>();
    batching.over(examples).forEach(batches::add);
    return batches;
  }

  private static List<Integer> indices(List<List<Example>> batches) {
    return batches.stream().flatMap(List::stream).map(Example::index).collect(Collectors.toList());
  }

  private static int steps(List<Example> batch) {
    return batch.stream().mapToInt(Example::length).sum();
  }

  @Property(tries = 300)
  void everyExampleIsInOneBatchAndLimitsHold(
      @ForAll @IntRange(max = 200) int count,
      @ForAll @IntRange(min = 1, max = 20) int maxSequences,
      @ForAll @IntRange(min = 30, max = 100) int maxSteps,
      @ForAll @IntRange(max = 50) int shuffleWindow,
      @ForAll @IntRange(max = 50) int groupWindow,
      @ForAll long seed) {
    Batching<Example> batching = BY_LENGTH.maxSequences(maxSequences).maxSteps(maxSteps);
    batching = shuffleWindow == 0 ? batching : batching.shuffle(seed, shuffleWindow);
    batching = groupWindow == 0 ? batching : batching.similarLengths(groupWindow);
    List<Example> examples = examples(count, 30);
    List<List<Example>> batches = batches(batching, examples);

    for (List<Example> batch : batches) {
      assertTrue(!batch.isEmpty() && batch.size() <= maxSequences && steps(batch) <= maxSteps, batch::toString);
    }
    List<Integer> indices = indices(batches);
    if (shuffleWindow == 0 && groupWindow == 0) {
      assertEquals(IntStream.range(0, count).boxed().toList(), indices);
    }
    List<Integer> sorted = new ArrayList<>(indices);
    sorted.sort(Comparator.naturalOrder());
    assertEquals(IntStream.range(0, count).boxed().toList(), sorted);

    assertEquals(batches, batches(batching, examples), "the same again");
    List<List<Example>> withoutTail = batches(batching.dropTail(true), examples);
    assertTrue(withoutTail.size() >= batches.size() - 1);
    assertEquals(batches.subList(0, withoutTail.size()), withoutTail);
  }

  @Test
  void batchesAreAsLargeAsTheLimitsAllow() {
    List<Example> examples =
        Stream.of(3, 3, 4, 1, 0, 0, 10, 2).map(length -> new Example(length, length)).toList();
    List<List<Integer>> lengths =
        batches(BY_LENGTH.maxSteps(10).maxSequences(3), examples).stream()
            .map(batch -> batch.stream().map(Example::length).toList())
            .toList();
    assertEquals(List.of(List.of(3, 3, 4), List.of(1, 0, 0), List.of(10), List.of(2)), lengths);
  }

  @Test
  void stepsBeyondAnIntAreCounted() {
    List<Example> examples = List.of(new Example(0, Integer.MAX_VALUE - 1), new Example(1, 5));
    assertEquals(2, batches(BY_LENGTH.maxSteps(Integer.MAX_VALUE), examples).size());
  }

  @Test
  void onlyABatchThatTheEndCutShortIsATail() {
    List<Example> examples = examples(70, 5);
    assertEquals(List.of(32, 32, 6), batches(BY_LENGTH, examples).stream().map(List::size).toList());
    assertEquals(List.of(32, 32), batches(BY_LENGTH.dropTail(true), examples).stream().map(List::size).toList());
    assertEquals(2, batches(BY_LENGTH.dropTail(true), examples.subList(0, 64)).size());
    assertEquals(List.of(), batches(BY_LENGTH, List.of()));
  }

  @Test
  void sequencesAreNotLimitedIfOnlyStepsAre() {
    List<Example> examples = IntStream.range(0, 100).mapToObj(i -> new Example(i, 1)).toList();
    assertEquals(List.of(90, 10), batches(BY_LENGTH.maxSteps(90), examples).stream().map(List::size).toList());
  }

  @Test
  void shufflingStaysWithinItsWindow() {
    List<Integer> order = indices(batches(BY_LENGTH.shuffle(7, 10), examples(95, 9)));
    for (int i = 0; i < order.size(); i++) {
      assertEquals(i / 10, order.get(i) / 10);
    }
    assertNotEquals(IntStream.range(0, 95).boxed().toList(), order);
    assertNotEquals(order, indices(batches(BY_LENGTH.shuffle(8, 10), examples(95, 9))), "another seed");
  }

  /** A seed gives this order for ever, on every Java. */
  @Test
  void orderOfASeedIsKnown() {
    assertEquals(
        List.of(10, 8, 4, 11, 5, 6, 0, 2, 3, 9, 7, 1), indices(batches(BY_LENGTH.shuffle(1, 12), examples(12, 9))));
  }

  /** All orders of 4 are equally probable: chi-squared of 23 degrees of freedom is below 50 but once in 1000. */
  @Test
  void everyOrderIsEquallyProbable() {
    int[] counts = new int[256];
    int rounds = 24_000;
    for (int seed = 0; seed < rounds; seed++) {
      List<Integer> order = indices(batches(BY_LENGTH.shuffle(seed, 4), examples(4, 9)));
      counts[order.get(0) * 64 + order.get(1) * 16 + order.get(2) * 4 + order.get(3)]++;
    }
    double expected = rounds / 24.0;
    double[] squares =
        Arrays.stream(counts).filter(c -> c > 0).mapToDouble(c -> (c - expected) * (c - expected)).toArray();
    assertEquals(24, squares.length);
    double chiSquared = Arrays.stream(squares).sum() / expected;
    assertTrue(chiSquared < 50, () -> "chi-squared " + chiSquared);
  }

  @Test
  void groupsHaveSimilarLengthsAndComeInRandomOrder() {
    Batching<Example> grouped = BY_LENGTH.maxSequences(10).similarLengths(400);
    List<Example> examples = examples(400, 100);
    List<List<Example>> ascending = batches(grouped, examples);
    List<Integer> lengths = ascending.stream().flatMap(List::stream).map(Example::length).toList();
    assertEquals(lengths.stream().sorted().toList(), lengths);

    List<List<Example>> shuffled = batches(grouped.shuffle(5, 400), examples);
    Comparator<List<Example>> byFirst = Comparator.comparingInt(batch -> batch.get(0).length());
    List<Integer> again =
        shuffled.stream()
            .sorted(byFirst.thenComparingInt(batch -> batch.get(9).length()))
            .flatMap(List::stream)
            .map(Example::length)
            .toList();
    assertEquals(lengths, again, "the same groups");
    assertNotEquals(lengths, shuffled.stream().flatMap(List::stream).map(Example::length).toList(), "in another order");
  }

  @Test
  void longestExampleDoesNotWaitForTheEnd() {
    List<Example> examples = new ArrayList<>(examples(1000, 10));
    examples.set(0, new Example(0, 11));
    List<List<Example>> batches = batches(BY_LENGTH.maxSequences(7).similarLengths(50), examples);
    int place = indices(batches).indexOf(0);
    assertTrue(place < 107, () -> "at " + place + ", but two windows and a batch are 107");
  }

  @Test
  void endlessDataIsReadAsItIsUsed() {
    AtomicInteger read = new AtomicInteger();
    Iterator<Example> endless = Stream.generate(() -> new Example(read.getAndIncrement(), 1)).iterator();
    Iterator<List<Example>> batches = BY_LENGTH.maxSequences(8).shuffle(1, 100).similarLengths(40).over(endless);
    assertEquals(0, read.get());
    for (int i = 0; i < 100; i++) {
      assertEquals(8, batches.next().size());
    }
    assertTrue(read.get() <= 800 + 100 + 40, () -> "read " + read);
  }

  /** Whatever is read when an example is refused: each of the windows, the end of the data. */
  @Property(tries = 300)
  void refusedExampleLosesNoOther(
      @ForAll @IntRange(min = 1, max = 60) int count,
      @ForAll @IntRange(max = 20) int shuffleWindow,
      @ForAll @IntRange(max = 20) int groupWindow,
      @ForAll @IntRange(min = 1, max = 20) int each) {
    List<Example> examples = new ArrayList<>(examples(count, 9));
    for (int i = each - 1; i < count; i += each) {
      examples.set(i, new Example(i, 100));
    }
    Batching<Example> batching = BY_LENGTH.maxSteps(20);
    batching = shuffleWindow == 0 ? batching : batching.shuffle(3, shuffleWindow);
    batching = groupWindow == 0 ? batching : batching.similarLengths(groupWindow);
    Iterator<List<Example>> batches = batching.over(examples.iterator());
    List<Integer> indices = new ArrayList<>();
    int refused = 0;
    for (boolean more = true; more; ) {
      try {
        more = batches.hasNext();
        if (more) {
          batches.next().forEach(example -> indices.add(example.index()));
        }
      } catch (IllegalArgumentException e) {
        refused++;
      }
    }
    assertEquals(count / each, refused);
    indices.sort(Comparator.naturalOrder());
    assertEquals(IntStream.range(0, count).filter(i -> i % each != each - 1).boxed().toList(), indices);
  }

  @Test
  void emptyExamplesFillABatchToo() {
    Iterator<Example> endless = Stream.generate(() -> new Example(0, 0)).iterator();
    assertEquals(64, BY_LENGTH.maxSteps(64).over(endless).next().size());
  }

  @Test
  void streamsAreClosedWithTheirBatches() {
    AtomicBoolean closed = new AtomicBoolean();
    try (Stream<List<Example>> batches = BY_LENGTH.over(examples(40, 3).stream().onClose(() -> closed.set(true)))) {
      assertEquals(List.of(32, 8), batches.map(List::size).toList());
    }
    assertTrue(closed.get());
  }

  @TestFactory
  Stream<DynamicTest> wrongSettingsAreRefused() {
    Class<IllegalArgumentException> argument = IllegalArgumentException.class;
    Class<NullPointerException> isNull = NullPointerException.class;
    return Stream.of(
        refusal("no length", isNull, () -> Batching.by(null), "length is null"),
        refusal("no sequences", argument, () -> BY_LENGTH.maxSequences(0), "maxSequences is 0", "1 or more"),
        refusal("no steps", argument, () -> BY_LENGTH.maxSteps(0), "maxSteps is 0", "1 or more"),
        refusal("no shuffle window", argument, () -> BY_LENGTH.shuffle(1, 0), "window is 0", "1 or more"),
        refusal("no group window", argument, () -> BY_LENGTH.similarLengths(-1), "window is -1", "1 or more"),
        refusal("no iterable", isNull, () -> BY_LENGTH.over((Iterable<Example>) null), "examples is null"),
        refusal("no iterator", isNull, () -> BY_LENGTH.over((Iterator<Example>) null), "examples is null"),
        refusal("no stream", isNull, () -> BY_LENGTH.over((Stream<Example>) null), "examples is null"));
  }

  @Test
  void wrongExamplesAreRefusedAndNamed() {
    Iterable<List<Example>> negative = BY_LENGTH.over(List.of(new Example(0, 1), new Example(1, -2)));
    refused(IllegalArgumentException.class, () -> negative.iterator().next(), "length of example 1 is -2", "0 to");
    Iterable<List<Example>> tooLong = BY_LENGTH.maxSteps(4).over(List.of(new Example(0, 5)));
    refused(IllegalArgumentException.class, () -> tooLong.iterator().next(), "length of example 0 is 5", "0 to 4");
    Iterable<List<Example>> missing = BY_LENGTH.over(Arrays.asList(new Example(0, 1), null));
    refused(NullPointerException.class, () -> missing.iterator().next(), "example 1 is null");
    refused(NoSuchElementException.class, () -> BY_LENGTH.over(List.<Example>of()).iterator().next(), "no batch");
  }
}
