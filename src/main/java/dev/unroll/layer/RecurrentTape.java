package dev.unroll.layer;

import dev.unroll.internal.Lease;
import dev.unroll.internal.Memory;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.SequenceLayout;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The buffers of one pass through a stack of layers: the forward pass fills them, the backward pass reads them. All are in
 * one block; {@code RecurrentLayer} in {@code kernels.h} says what they hold.
 */
final class RecurrentTape implements AutoCloseable {
  private final RecurrentOptions options;
  private final CellKind kind;
  private final PackedSequence input;
  private final State finalState;
  private final Memory memory;
  private final long[] statesOffsets;
  private final long[] gatesOffsets;
  private final long weightsVersion;
  private final AtomicBoolean propagated = new AtomicBoolean();

  RecurrentTape(
      RecurrentOptions options, CellKind kind, PackedSequence input, long weightsVersion) {
    this.options = options;
    this.kind = kind;
    this.input = input;
    this.weightsVersion = weightsVersion;
    SequenceLayout layout = input.layout();
    int entries = options.layers() * options.directions();
    BufferPlan plan = new BufferPlan();
    statesOffsets = new long[options.layers()];
    gatesOffsets = new long[entries];
    for (int l = 0; l < options.layers(); l++) {
      statesOffsets[l] = plan.add((long) layout.sequences() + layout.rows(), options.outputSize());
    }
    for (int e = 0; e < entries; e++) {
      gatesOffsets[e] = plan.add(layout.rows(), (long) kind.gates() * options.hiddenSize());
    }
    memory = Memory.from(input.source(), plan.bytes(), "RecurrentOutput");
    finalState = State.allocate(input.source(), entries, layout.sequences(), options.hiddenSize());
  }

  PackedSequence input() {
    return input;
  }

  State finalState() {
    return finalState;
  }

  /** The outputs of the top layer, in place: they follow its initial states. */
  PackedSequence outputs() {
    SequenceLayout layout = input.layout();
    long initialStates = (long) layout.sequences() * options.outputSize() * Float.BYTES;
    long offset = statesOffsets[options.layers() - 1] + initialStates;
    return PackedSequence.view(layout, options.outputSize(), memory, offset);
  }

  /** The fields of {@code RecurrentCall}. */
  long[] call(Lease lease) {
    SequenceLayout layout = input.layout();
    return new long[] {
      kind.ordinal(),
      options.inputSize(),
      options.hiddenSize(),
      options.layers(),
      options.directions(),
      0, // offsets and order are arrays of their own
      0,
      layout.steps(),
      layout.sequences(),
      input.address(lease),
      0 // layers likewise
    };
  }

  /** The fields of {@code RecurrentLayer} for every layer and direction of a forward pass. */
  long[] forwardLayers(Lease lease, List<DirectionWeights> weights, State initial) {
    return layers(lease, weights, initial == null ? 0 : initial.address(lease), finalState.address(lease));
  }

  /** The same for the backward pass, which needs neither the initial state (it has a copy) nor the final one. */
  long[] backwardLayers(Lease lease, List<DirectionWeights> weights) {
    return layers(lease, weights, 0, 0);
  }

  private long[] layers(Lease lease, List<DirectionWeights> weights, long initialStates, long finalStates) {
    long stateBytes = (long) input.layout().sequences() * options.hiddenSize() * Float.BYTES;
    long buffers = lease.address(memory);
    StructWriter fields = new StructWriter(7 * weights.size());
    for (int e = 0; e < weights.size(); e++) {
      DirectionWeights w = weights.get(e);
      int direction = e % options.directions();
      fields
          .add(lease.address(w.inputForward.current()))
          .add(lease.address(w.hiddenForward.current()))
          .add(lease.addressOrNull(w.biasSum()))
          .add(initialStates == 0 ? 0 : initialStates + e * stateBytes)
          .add(finalStates + e * stateBytes)
          .add(buffers + statesOffsets[e / options.directions()] + columnOffset(options, direction))
          .add(buffers + gatesOffsets[e]);
    }
    return fields.longs();
  }

  /** Bytes before the columns of a direction, where directions stand side by side. */
  static long columnOffset(RecurrentOptions options, int direction) {
    return (long) direction * options.hiddenSize() * Float.BYTES;
  }

  /** Allows one backward pass: it overwrites the gates with their gradients. */
  void startBackward(long currentVersion) {
    if (currentVersion != weightsVersion) {
      throw new IllegalStateException(
          "parameters have changed since forward: expected backward before an optimiser's step or a set");
    }
    if (!propagated.compareAndSet(false, true)) {
      throw new IllegalStateException("backward has run on this output already: expected one backward for each forward");
    }
  }

  @Override
  public void close() {
    memory.close();
  }
}
