package dev.unroll.layer;

import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.Memory;
import dev.unroll.internal.MemorySource;
import dev.unroll.internal.RecurrentNative;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.SequenceLayout;
import java.util.Arrays;

/**
 * Takes some sequences through a {@link Recurrent} layer a single step at a time and keeps their states in between: for
 * events that are scored as they come in. A step allocates nothing and makes one native call. It sees the weights that
 * the layer has at that moment.
 *
 * <pre>{@code
 * try (RecurrentSession session = lstm.session(1)) {
 *   float[] output = new float[lstm.outputSize()];
 *   for (float[] event : events) {
 *     session.step(event, output);
 *   }
 * }
 * }</pre>
 *
 * <p>One thread owns a session; any number of sessions may share a layer, and run at once.
 */
public final class RecurrentSession implements AutoCloseable {
  private final Recurrent layer;
  private final RecurrentWeights weights;
  private final int inputs;
  private final int outputs;
  private final PackedSequence input;
  private final RecurrentTape tape;
  private final State state;
  private final PackedSequence output;
  private final Memory description;
  private final Lease lease = new Lease();

  RecurrentSession(Recurrent layer, RecurrentOptions options, RecurrentWeights weights, int sequences) {
    this.layer = layer;
    this.weights = weights;
    Checks.positive("sequences", sequences);
    inputs = size("sequences * inputSize", sequences, options.inputSize());
    outputs = size("sequences * outputSize", sequences, options.outputSize());
    int[] ones = new int[sequences];
    Arrays.fill(ones, 1);
    SequenceLayout layout = SequenceLayout.of(ones);
    try (Lease results = new Lease()) {
      input = results.result(PackedSequence.allocate(MemorySource.SYSTEM, layout, options.inputSize()));
      tape = results.result(RecurrentTape.forInference(options, input));
      state = results.result(tape.finalState());
      output = tape.outputs();
      state.clear();
      RecurrentWeights.Places places = weights.forward();
      description = layout.packed().prepare(tape.call(results, places), tape.sessionLayers(results, places));
      results.done(this);
    }
  }

  private static int size(String name, int sequences, int features) {
    long size = (long) sequences * features;
    Checks.require(size <= Integer.MAX_VALUE, name, size, "at most 2^31 - 1");
    return (int) size;
  }

  /**
   * Counts the sequences.
   *
   * @return sequences that go forward together, 1 or more
   */
  public int sequences() {
    return input.layout().sequences();
  }

  /**
   * Takes every sequence one step forward.
   *
   * @param stepInput [sequences * {@link Recurrent#inputSize()}] the step of every sequence, one after the other
   * @param stepOutput [sequences * {@link Recurrent#outputSize()}] receives the output of every sequence likewise
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if an array has another size; the message names both
   * @throws IllegalStateException if this session or its layer is closed
   */
  public synchronized void step(float[] stepInput, float[] stepOutput) {
    Checks.equal("size of stepInput", Checks.notNull("stepInput", stepInput).length, inputs);
    Checks.equal("size of stepOutput", Checks.notNull("stepOutput", stepOutput).length, outputs);
    try {
      long prepared = lease.address(description);
      long x = input.address(lease);
      long y = output.address(lease);
      state.pin(lease);
      weights.pinForward(lease);
      RecurrentNative.step(prepared, stepInput, x, stepOutput, y);
    } finally {
      lease.close();
    }
  }

  /**
   * Starts all sequences anew, from a state of zeros.
   *
   * @throws IllegalStateException if this session is closed
   */
  public synchronized void reset() {
    state.clear();
  }

  /**
   * Starts one sequence anew, from a state of zeros: another stream takes the place of one that has ended.
   *
   * @param sequence its index
   * @throws IllegalArgumentException if there is no such sequence
   * @throws IllegalStateException if this session is closed
   */
  public synchronized void reset(int sequence) {
    state.clear(Checks.index("sequence", sequence, sequences()));
  }

  /**
   * Copies the state, for example to go on another day.
   *
   * @return [layers, sequences, hidden size or that of the projection]; the caller closes it
   * @throws IllegalStateException if this session is closed
   */
  public synchronized State state() {
    return state.copy();
  }

  /**
   * Replaces the state.
   *
   * @param from what every sequence goes on from; it is copied
   * @throws NullPointerException if {@code from} is null
   * @throws IllegalArgumentException if its shape differs; the message names both
   * @throws IllegalStateException if this session or {@code from} is closed
   */
  public synchronized void restore(State from) {
    state.copyFrom("from", Checks.notNull("from", from));
  }

  /** Frees the memory; calling it again does nothing. */
  @Override
  public synchronized void close() {
    description.close();
    tape.close();
    state.close();
    input.close();
  }

  @Override
  public String toString() {
    return "RecurrentSession of " + sequences() + " with " + layer;
  }
}
