package dev.unroll.sequence;

import dev.unroll.internal.ArrayNative;
import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;

/**
 * What is done to the features of whole batches between layers: several inputs side by side, the directions of an output
 * apart, residual connections, gates. Most gradients need no methods of their own: that of a concatenation is cut into
 * slices, those of slices are concatenated; both terms of a sum have the gradient of the sum; and a batch that two layers
 * took has the sum of both gradients.
 *
 * <pre>{@code
 * try (PackedSequence words = embedding.forward(tokens);
 *     PackedSequence input = Features.concatenate(words, measurements);
 *     RecurrentOutput output = lstm.forward(input);
 *     ...
 *     RecurrentGradients gradients = lstm.backward(output, outputGradient, null);
 *     PackedSequence wordsGradient = Features.slice(gradients.input(), 0, words.features())) {
 *   embedding.backward(tokens, wordsGradient);
 * }
 * }</pre>
 */
public final class Features {
  private Features() {}

  /**
   * Puts the features of batches side by side, step by step (PyTorch {@code cat(dim=-1)}).
   *
   * @param batches one or more of the same lengths, with any number of features each
   * @return rows of all their features, in the order of the batches; close it to free its memory
   * @throws NullPointerException if {@code batches} or one of them is null
   * @throws IllegalArgumentException if there are none, the lengths differ, or there are more than 2^31 - 1 features
   * @throws IllegalStateException if a batch is closed
   */
  public static PackedSequence concatenate(PackedSequence... batches) {
    PackedSequence[] parts = Checks.notNull("batches", batches).clone();
    Checks.positive("number of batches", parts.length);
    long features = 0;
    for (int i = 0; i < parts.length; i++) {
      features += Checks.notNull("batches[" + i + "]", parts[i]).features();
      parts[i].layout().requireSame("batches[" + i + "]", "batches[0]", parts[0].layout());
    }
    Checks.require(features <= Integer.MAX_VALUE, "features of all batches", features, "at most 2^31 - 1");
    try (Lease lease = new Lease()) {
      long[] from = new long[parts.length];
      for (int i = 0; i < parts.length; i++) {
        from[i] = parts[i].address(lease);
      }
      SequenceLayout layout = parts[0].layout();
      PackedSequence all = lease.result(PackedSequence.allocate(parts[0].source(), layout, (int) features));
      long to = all.address(lease);
      for (int i = 0; i < parts.length; i++) {
        int columns = parts[i].features();
        ArrayNative.copyColumns(layout.rows(), columns, from[i], columns, to, features);
        to += (long) columns * Float.BYTES;
      }
      return lease.done(all);
    }
  }

  /**
   * Takes some of the features of every step.
   *
   * @param batch any
   * @param from the first feature, from 0
   * @param to the feature after the last, above {@code from}
   * @return rows of {@code to - from} features, laid out as the batch; close it to free its memory
   * @throws NullPointerException if {@code batch} is null
   * @throws IllegalArgumentException if there are no such features
   * @throws IllegalStateException if the batch is closed
   */
  public static PackedSequence slice(PackedSequence batch, int from, int to) {
    int features = Checks.notNull("batch", batch).features();
    Checks.index("from", from, features);
    Checks.require(to > from && to <= features, "to", to, "above " + from + " and at most " + features);
    try (Lease lease = new Lease()) {
      long first = batch.address(lease) + (long) from * Float.BYTES;
      PackedSequence some = lease.result(PackedSequence.allocate(batch.source(), batch.layout(), to - from));
      ArrayNative.copyColumns(batch.layout().rows(), to - from, first, features, some.address(lease), to - from);
      return lease.done(some);
    }
  }

  /**
   * Adds two batches, element by element.
   *
   * @param a any
   * @param b shaped alike
   * @return a + b; close it to free its memory
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the shapes differ
   * @throws IllegalStateException if an argument is closed
   */
  public static PackedSequence sum(PackedSequence a, PackedSequence b) {
    return sum(a, b, 1);
  }

  /**
   * Adds a multiple of a batch to another one, element by element; of a factor of -1 that is the difference.
   *
   * @param a any
   * @param b shaped alike
   * @param factor of b, any number
   * @return a + factor * b, rounded once; close it to free its memory
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the shapes differ
   * @throws IllegalStateException if an argument is closed
   */
  public static PackedSequence sum(PackedSequence a, PackedSequence b, float factor) {
    checkSameShape(a, b);
    return scaledSum(b, factor, a);
  }

  /**
   * Multiplies a batch by a number.
   *
   * @param batch any
   * @param factor any number
   * @return factor * batch; close it to free its memory
   * @throws NullPointerException if {@code batch} is null
   * @throws IllegalStateException if it is closed
   */
  public static PackedSequence scale(PackedSequence batch, float factor) {
    return scaledSum(Checks.notNull("batch", batch), factor, null);
  }

  /**
   * Multiplies two batches, element by element: gates, or weights of steps that are as wide as what they weigh. The
   * gradient of either is that of the product, times the other.
   *
   * @param a any
   * @param b shaped alike
   * @return a * b; close it to free its memory
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the shapes differ
   * @throws IllegalStateException if an argument is closed
   */
  public static PackedSequence product(PackedSequence a, PackedSequence b) {
    checkSameShape(a, b);
    try (Lease lease = new Lease()) {
      long aValues = a.address(lease);
      long bValues = b.address(lease);
      PackedSequence result = lease.result(a.like());
      ArrayNative.product(aValues, bValues, result.address(lease), (long) a.layout().rows() * a.features());
      return lease.done(result);
    }
  }

  /**
   * Repeats the one step that each sequence has for all steps of another layout (Keras {@code RepeatVector}, of any
   * lengths): what a decoder sees in every step, what is known of a whole sequence beside its steps, or weights of
   * sequences as those of their steps. Its gradient is {@link dev.unroll.layer.Pooling#SUM Pooling.SUM.forward} of that
   * of the result.
   *
   * @param batch one step for every sequence
   * @param layout of as many sequences
   * @return rows of as many features; close it to free its memory
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if the batch has other than one step for every sequence of the layout
   * @throws IllegalStateException if the batch is closed
   */
  public static PackedSequence repeat(PackedSequence batch, SequenceLayout layout) {
    Checks.notNull("batch", batch);
    SequenceLayout single = SequenceLayout.ofSingleSteps(Checks.notNull("layout", layout).sequences());
    batch.layout().requireSame("batch", "one step for every sequence of layout", single);
    try (Lease lease = new Lease()) {
      long from = batch.address(lease);
      PackedSequence result = lease.result(PackedSequence.allocate(batch.source(), layout, batch.features()));
      layout.packed().repeat(batch.features(), from, result.address(lease));
      return lease.done(result);
    }
  }

  private static void checkSameShape(PackedSequence a, PackedSequence b) {
    Checks.equal("features of b", Checks.notNull("b", b).features(), Checks.notNull("a", a).features());
    b.layout().requireSame("b", "a", a.layout());
  }

  /** factor * x + z, or without z. */
  private static PackedSequence scaledSum(PackedSequence x, float factor, PackedSequence z) {
    try (Lease lease = new Lease()) {
      long xValues = x.address(lease);
      long zValues = z == null ? 0 : z.address(lease);
      PackedSequence result = lease.result((z == null ? x : z).like());
      long size = (long) x.layout().rows() * x.features();
      ArrayNative.scaledSum(xValues, factor, zValues, result.address(lease), size);
      return lease.done(result);
    }
  }
}
