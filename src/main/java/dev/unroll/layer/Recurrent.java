package dev.unroll.layer;

import dev.unroll.internal.ArrayNative;
import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.MemorySource;
import dev.unroll.internal.RandomPurpose;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.SequenceLayout;
import dev.unroll.sequence.StepVectors;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * A stack of layers that carry a state through time. What is common to all kinds is here: stacking, directions, states,
 * and back-propagation through time; a kind adds its formulas.
 *
 * <p>Parameters have PyTorch's names and shapes: {@code weight_ih_l0} [gates * hidden, inputs], {@code weight_hh_l0}
 * [gates * hidden, hidden] (with projection, [gates * hidden, projection]), {@code bias_ih_l0} and {@code bias_hh_l0}
 * [gates * hidden], unless the layer has no bias; the number is the layer's, and those of the reverse direction end in
 * {@code _reverse}. The inputs of a layer above the first are the outputs of the one below.
 */
public abstract sealed class Recurrent implements Layer permits Rnn, Lstm, Gru {
  private final RecurrentOptions options;
  private final ParameterSet parameters;
  private final RecurrentWeights weights;

  Recurrent(RecurrentOptions options) {
    this.options = options;
    parameters = new ParameterSet(options.seed());
    try {
      weights = new RecurrentWeights(parameters, options);
    } catch (RuntimeException | Error e) {
      parameters.close();
      throw e;
    }
  }

  /**
   * Returns the number of features of an input step.
   *
   * @return input size
   */
  public int inputSize() {
    return options.inputSize();
  }

  /**
   * Returns the number of units of one direction.
   *
   * @return hidden size
   */
  public int hiddenSize() {
    return options.hiddenSize();
  }

  /**
   * Returns the number of features of an output step: the hidden size (of an {@link Lstm} with projection, its size),
   * twice that if the layer has two directions that are not summed.
   *
   * @return output size
   */
  public int outputSize() {
    return options.outputSize();
  }

  /**
   * Counts the stacked layers.
   *
   * @return layers
   */
  public int layers() {
    return options.layers();
  }

  /**
   * Tells whether every layer runs in both directions.
   *
   * @return true if so
   */
  public boolean isBidirectional() {
    return options.bidirectional();
  }

  @Override
  public List<Parameter> parameters() {
    return parameters.all();
  }

  /** Changes the initial values of a parameter of every layer and direction. */
  void initialize(Function<DirectionWeights, Parameter> which, UnaryOperator<float[]> change) {
    for (DirectionWeights w : weights.entries()) {
      Parameter parameter = which.apply(w);
      parameter.set(change.apply(parameter.values()));
    }
  }

  /**
   * Makes the state that sequences start from, for streams that are to be {@linkplain State#join joined} with others.
   *
   * @param sequences how many, 0 or more
   * @return zeros; close it to free its memory
   * @throws IllegalArgumentException if {@code sequences} is negative
   */
  public State zeroState(int sequences) {
    Checks.notNegative("sequences", sequences);
    try (Lease lease = new Lease()) {
      State state = lease.result(State.allocate(MemorySource.SYSTEM, options, sequences));
      state.clear();
      return lease.done(state);
    }
  }

  /**
   * Runs the layer over every sequence of the batch, from a state of zeros. The output keeps what {@link #backward}
   * needs, but for the input, which is to stay open until then; where only the answer is wanted, {@link #infer} gives the
   * same bits in less time and memory. Nothing is dropped, whatever the layer was built with: a layer with dropout is
   * trained by {@link #forwardTraining}.
   *
   * @param input vectors of {@link #inputSize()} features; sequences of length 0 are allowed
   * @return outputs for every real step and the final state of every sequence; close it to free its memory
   * @throws NullPointerException if {@code input} is null
   * @throws IllegalArgumentException if the feature count differs; the message names both
   * @throws IllegalStateException if this layer or the input is closed
   */
  public RecurrentOutput forward(StepVectors input) {
    return forward(input, null);
  }

  /**
   * Runs the layer over every sequence of the batch, from a given state; else as {@link #forward(StepVectors)}.
   *
   * @param input vectors of {@link #inputSize()} features; sequences of length 0 are allowed; open until
   *     {@link #backward}
   * @param initial state of every layer, direction and sequence, in the caller's order, or {@code null} for zero; it may
   *     be closed afterwards
   * @return outputs for every real step and the final state of every sequence, in the caller's order; close it to free
   *     its memory
   * @throws NullPointerException if {@code input} is null
   * @throws IllegalArgumentException if the feature count or the state's shape differs; the message names both
   * @throws IllegalStateException if this layer, the input or the state is closed
   */
  public RecurrentOutput forward(StepVectors input, State initial) {
    return run(input, initial, () -> RecurrentTape.forTraining(options, input, 0, 0, parameters.version()));
  }

  /**
   * Runs the layer over every sequence of the batch only for its answer, from a state of zeros.
   *
   * @param input vectors of {@link #inputSize()} features; sequences of length 0 are allowed
   * @return as {@link #infer(StepVectors, State)}
   * @throws NullPointerException if {@code input} is null
   * @throws IllegalArgumentException if the feature count differs; the message names both
   * @throws IllegalStateException if this layer or the input is closed
   */
  public RecurrentOutput infer(StepVectors input) {
    return infer(input, null);
  }

  /**
   * Runs the layer over every sequence of the batch only for its answer: the same bits as {@link #forward}, but nothing
   * is kept for {@link #backward}, which refuses the output.
   *
   * @param input vectors of {@link #inputSize()} features; sequences of length 0 are allowed
   * @param initial state of every layer, direction and sequence, in the caller's order, or {@code null} for zero
   * @return outputs for every real step and the final state of every sequence, in the caller's order; close it to free
   *     its memory
   * @throws NullPointerException if {@code input} is null
   * @throws IllegalArgumentException if the feature count or the state's shape differs; the message names both
   * @throws IllegalStateException if this layer, the input or the state is closed
   */
  public RecurrentOutput infer(StepVectors input, State initial) {
    return run(input, initial, () -> RecurrentTape.forInference(options, input));
  }

  /**
   * Opens a session that takes some sequences forward a single step at a time, as their data come in: the same bits as
   * {@link #infer} over whole sequences. A step allocates nothing.
   *
   * @param sequences how many go forward together, 1 or more
   * @return a session that starts from a state of zeros; one thread owns it, and closes it to free its memory
   * @throws IllegalArgumentException if {@code sequences} is below 1, or a step of all of them has more than 2^31 - 1
   *     values
   * @throws IllegalStateException if this layer is closed, or runs in both directions, which needs whole sequences
   */
  public RecurrentSession session(int sequences) {
    parameters.checkOpen();
    if (isBidirectional()) {
      throw new IllegalStateException(this + " needs whole sequences: expected a layer of one direction for a session");
    }
    return new RecurrentSession(this, options, weights, sequences);
  }

  /**
   * Runs the layer as {@link #forward(StepVectors, State)} does and, between layers, drops elements with the
   * probability that the layer was built with. Which ones depends on the seed that it was built with, the key, the number
   * of the layer, the index of the sequence in the batch, the step and the feature alone.
   *
   * @param input vectors of {@link #inputSize()} features; sequences of length 0 are allowed
   * @param initial state of every layer, direction and sequence, in the caller's order, or {@code null} for zero
   * @param dropoutKey chooses the elements; another one for every batch, such as the number of the step
   * @return as {@link #forward(StepVectors, State)}
   * @throws NullPointerException if {@code input} is null
   * @throws IllegalArgumentException if the feature count or the state's shape differs; the message names both
   * @throws IllegalStateException if this layer, the input or the state is closed
   */
  public RecurrentOutput forwardTraining(StepVectors input, State initial, long dropoutKey) {
    return run(
        input,
        initial,
        () ->
            RecurrentTape.forTraining(
                options,
                input,
                options.dropout(),
                RandomPurpose.keyOf(options.seed(), dropoutKey),
                parameters.version()));
  }

  private RecurrentOutput run(StepVectors input, State initial, Supplier<RecurrentTape> newTape) {
    Checks.equal("input features", Checks.notNull("input", input).features(), inputSize());
    if (initial != null) {
      checkState("initial", initial, input.layout());
    }
    parameters.checkOpen();
    try (Lease lease = new Lease()) {
      RecurrentTape tape = newTape.get();
      RecurrentOutput output = lease.result(new RecurrentOutput(this, tape));
      RecurrentWeights.Places places = weights.pinForward(lease, input.layout().rows());
      input.layout().packed().forward(tape.call(lease, places), tape.forwardLayers(lease, places, initial));
      return lease.done(output);
    }
  }

  /**
   * Propagates gradients back through time, over all steps of the batch: adds to the gradients of the parameters and
   * returns those of the input and the initial state.
   *
   * @param output what {@link #forward} or {@link #forwardTraining} returned, once; its outputs stay readable
   * @param outputGradient dE/d outputs, rows of {@link #outputSize()} features, or {@code null} for zero
   * @param finalStateGradient dE/d final state, shaped as the state, or {@code null} for zero
   * @return the gradients; close them to free their memory
   * @throws NullPointerException if {@code output} is null
   * @throws IllegalArgumentException if {@code output} is another layer's, or a shape differs; the message names both
   * @throws IllegalStateException if something is closed, the input of the forward pass included, {@code output} was
   *     propagated before or is of {@link #infer}, or a parameter has changed since {@link #forward}
   */
  public RecurrentGradients backward(RecurrentOutput output, PackedSequence outputGradient, State finalStateGradient) {
    if (Checks.notNull("output", output).layer() != this) {
      throw Checks.unexpected("output", output, "an output of this " + this);
    }
    RecurrentTape tape = output.tape();
    tape.checkKept();
    LayerInput input = tape.input().open();
    if (outputGradient != null) {
      Checks.equal("outputGradient features", outputGradient.features(), outputSize());
      outputGradient.layout().requireSame("outputGradient", "input", input.layout());
    }
    if (finalStateGradient != null) {
      checkState("finalStateGradient", finalStateGradient, input.layout());
    }
    try (Lease lease = new Lease()) {
      BackwardBuffers buffers = new BackwardBuffers(lease, options, input, outputGradient, finalStateGradient);
      RecurrentWeights.Places places = weights.pinBackward(lease, input.layout().rows());
      long[] call = tape.call(lease, places);
      long[] layers = tape.backwardLayers(lease, weights.forward());
      long[] gradients = buffers.gradients(lease, places);
      tape.startBackward(parameters.version());
      input.layout().packed().backward(call, layers, gradients);
      return lease.done(buffers.result());
    }
  }

  /**
   * Propagates the gradient of {@link RecurrentOutput#last} back through time: many steps in, one output.
   *
   * @param output what {@link #forward} returned, once
   * @param lastGradient dE/d last, one step of {@link #outputSize()} features for every sequence
   * @return as {@link #backward}
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if {@code output} is another layer's, or a shape differs; the message names both
   * @throws IllegalStateException as {@link #backward}
   */
  public RecurrentGradients backwardFromLast(RecurrentOutput output, PackedSequence lastGradient) {
    return backwardFromLast(output, null, lastGradient);
  }

  /**
   * Propagates the gradients of all outputs and, beside them, of {@link RecurrentOutput#last} back through time: of a
   * model that tags steps and judges sequences.
   *
   * @param output what {@link #forward} returned, once
   * @param outputGradient dE/d outputs, rows of {@link #outputSize()} features, or {@code null} for zero
   * @param lastGradient dE/d last, one step of {@link #outputSize()} features for every sequence
   * @return as {@link #backward}
   * @throws NullPointerException if {@code output} or {@code lastGradient} is null
   * @throws IllegalArgumentException if {@code output} is another layer's, or a shape differs; the message names both
   * @throws IllegalStateException as {@link #backward}
   */
  public RecurrentGradients backwardFromLast(
      RecurrentOutput output, PackedSequence outputGradient, PackedSequence lastGradient) {
    return backwardFromLast(output, outputGradient, lastGradient, null);
  }

  /**
   * Propagates the gradients of all outputs, of {@link RecurrentOutput#last} and of the final state back through time:
   * of an encoder that judges sequences and whose state a decoder goes on from.
   *
   * @param output what {@link #forward} returned, once
   * @param outputGradient dE/d outputs, rows of {@link #outputSize()} features, or {@code null} for zero
   * @param lastGradient dE/d last, one step of {@link #outputSize()} features for every sequence
   * @param finalStateGradient dE/d final state beside that, shaped as the state, or {@code null} for zero
   * @return as {@link #backward}
   * @throws NullPointerException if {@code output} or {@code lastGradient} is null
   * @throws IllegalArgumentException if {@code output} is another layer's, or a shape differs; the message names both
   * @throws IllegalStateException as {@link #backward}
   */
  public RecurrentGradients backwardFromLast(
      RecurrentOutput output, PackedSequence outputGradient, PackedSequence lastGradient, State finalStateGradient) {
    Checks.notNull("output", output);
    LayerInput input = output.tape().input();
    Checks.equal("lastGradient features", Checks.notNull("lastGradient", lastGradient).features(), outputSize());
    SequenceLayout single = SequenceLayout.ofSingleSteps(input.layout().sequences());
    lastGradient.layout().requireSame("lastGradient", "one step of each sequence", single);
    if (finalStateGradient != null) {
      checkState("finalStateGradient", finalStateGradient, input.layout());
    }
    try (State gradient = withLast(input, lastGradient, finalStateGradient)) {
      return backward(output, outputGradient, gradient);
    }
  }

  /** The gradient of a final state whose last outputs have one of their own; it may have none beside. */
  private State withLast(LayerInput input, PackedSequence lastGradient, State beside) {
    int sequences = input.layout().sequences();
    int size = options.stateSize();
    try (Lease lease = new Lease()) {
      State all = lease.result(State.allocate(input.source(), options, sequences));
      State.Addresses to = State.addresses(all, lease);
      long from = lastGradient.address(lease);
      if (beside == null) {
        all.clear();
      } else {
        all.copyFrom("finalStateGradient", beside);
      }
      for (int d = 0; d < options.directions(); d++) {
        long columns = from + (long) options.outputColumn(d) * Float.BYTES;
        long entry = to.hidden(options.topEntry(d));
        if (beside == null) {
          ArrayNative.copyColumns(sequences, size, columns, outputSize(), entry, size);
        } else {
          long own = lease.temporary(input.source(), (long) sequences * size * Float.BYTES);
          ArrayNative.copyColumns(sequences, size, columns, outputSize(), own, size);
          ArrayNative.scaledSum(own, 1, entry, entry, (long) sequences * size);
        }
      }
      return lease.done(all);
    }
  }

  private void checkState(String name, State state, SequenceLayout layout) {
    state.check(name, options.entries(), layout.sequences(), options.stateSize(), options.cellSize());
  }

  @Override
  public void close() {
    parameters.close();
    weights.close();
  }

  @Override
  public String toString() {
    return options.kind().label()
        + "("
        + inputSize()
        + " to "
        + hiddenSize()
        + (layers() > 1 ? ", " + layers() + " layers" : "")
        + (isBidirectional() ? ", bidirectional" : "")
        + ")";
  }
}
