package dev.unroll.layer;

import dev.unroll.internal.ArrayNative;
import dev.unroll.internal.Lease;
import dev.unroll.internal.Memory;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.SequenceLayout;
import dev.unroll.sequence.StepVectors;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The buffers of one pass through a stack of layers: the forward pass fills them, the backward pass reads them; a pass
 * that is only to answer has smaller ones and no backward pass. All are in one block; {@code RecurrentLayer} in
 * {@code kernels.h} says what they hold.
 */
final class RecurrentTape implements AutoCloseable {
  /** Rows whose input products are computed at once: enough to use the weights well, few enough to stay in L2. */
  private static final int CHUNK_ROWS = 192;

  private final RecurrentOptions options;
  private final LayerInput input;
  private final State finalState;
  private final Memory memory;
  private final long[] states; // bytes before those of a layer
  private final long[] outputs; // likewise, of layers whose outputs are not their states
  private final Entry[] entries;
  private final boolean keepsAll;
  private final int chunkSteps;
  private final double dropout;
  private final long dropoutKey;
  private final long weightsVersion;
  private final AtomicBoolean propagated = new AtomicBoolean();

  /** Bytes before the buffers of one layer and direction; 0 for those that its cell does not have. */
  private record Entry(long cells, long gates, long recurrent, long unprojected, long ofTable) {}

  private RecurrentTape(
      RecurrentOptions options,
      StepVectors vectors,
      boolean keepsAll,
      double dropout,
      long dropoutKey,
      long weightsVersion) {
    this.options = options;
    input = LayerInput.of(vectors);
    this.keepsAll = keepsAll;
    this.dropout = dropout;
    this.dropoutKey = dropoutKey;
    this.weightsVersion = weightsVersion;
    SequenceLayout layout = input.layout();
    int sequences = layout.sequences();
    chunkSteps = Math.max(1, Math.min(CHUNK_ROWS / Math.max(1, sequences), layout.steps()));
    BufferPlan plan = new BufferPlan();
    states = new long[options.layers()];
    outputs = new long[options.layers()];
    entries = new Entry[options.entries()];
    long stateRows = (long) sequences + layout.rows();
    long cellRows = keepsAll ? stateRows : sequences;
    long keptRows = keepsAll ? layout.rows() : (long) chunkSteps * sequences;
    for (int l = 0; l < options.layers(); l++) {
      states[l] = plan.add(stateRows, options.stateColumns());
      outputs[l] = plan.addIf(hasOutputs(l), layout.rows(), options.outputSize());
    }
    for (int e = 0; e < entries.length; e++) {
      entries[e] =
          new Entry(
              plan.addIf(options.kind().hasCells(), cellRows, options.hiddenSize()),
              plan.add(keptRows, options.gateRows()),
              plan.addIf(options.kind().hasRecurrent(), keptRows, options.hiddenSize()),
              plan.addIf(options.projectionSize() > 0, keptRows, options.hiddenSize()),
              plan.addIf(readsTable(e), input.tableRows(), options.gateRows()));
    }
    try (Lease lease = new Lease()) {
      memory = lease.result(Memory.from(input.source(), plan.bytes(), "RecurrentOutput"));
      finalState = lease.done(State.allocate(input.source(), options, sequences));
    }
  }

  /** Buffers of a forward pass that a backward pass may follow. */
  static RecurrentTape forTraining(
      RecurrentOptions options, StepVectors input, double dropout, long dropoutKey, long weightsVersion) {
    return new RecurrentTape(options, input, true, dropout, dropoutKey, weightsVersion);
  }

  /** Buffers of a forward pass that is only to answer. */
  static RecurrentTape forInference(RecurrentOptions options, StepVectors input) {
    return new RecurrentTape(options, input, false, 0, 0, 0);
  }

  LayerInput input() {
    return input;
  }

  State finalState() {
    return finalState;
  }

  /** Whether the outputs of a layer have a buffer of their own: directions are summed, or elements dropped. */
  private boolean hasOutputs(int layer) {
    return options.summed() || dropout > 0 && layer + 1 < options.layers();
  }

  /** Whether a layer and direction is of the first layer, of an input by index. */
  private boolean readsTable(int entry) {
    return input.isByIndex() && entry < options.directions();
  }

  /** The outputs of the top layer, in place. */
  PackedSequence outputs() {
    SequenceLayout layout = input.layout();
    int top = options.layers() - 1;
    long initialStates = (long) layout.sequences() * options.stateColumns() * Float.BYTES;
    long offset = hasOutputs(top) ? outputs[top] : states[top] + initialStates;
    return PackedSequence.view(layout, options.outputSize(), memory, offset);
  }

  /** The top layer's final states, merged like its outputs. Equal lengths keep the caller's order. */
  PackedSequence last() {
    int sequences = input.layout().sequences();
    int size = options.stateSize();
    SequenceLayout single = SequenceLayout.ofSingleSteps(sequences);
    try (Lease lease = new Lease()) {
      State.Addresses states = State.addresses(finalState, lease);
      PackedSequence last = lease.result(PackedSequence.allocate(input.source(), single, options.outputSize()));
      long to = last.address(lease);
      for (int d = 0; d < options.directions(); d++) {
        long from = states.hidden(options.topEntry(d));
        if (d > 0 && options.summed()) {
          ArrayNative.scaledSum(from, 1, to, to, (long) sequences * size);
        } else {
          long column = (long) options.outputColumn(d) * Float.BYTES;
          ArrayNative.copyColumns(sequences, size, from, size, to + column, options.outputSize());
        }
      }
      return lease.done(last);
    }
  }

  /** The fields of {@code RecurrentCall}, of a pass that finds its weights there. */
  long[] call(Lease lease, RecurrentWeights.Places weights) {
    SequenceLayout layout = input.layout();
    return new long[] {
      options.kind().ordinal(),
      options.inputSize(),
      options.hiddenSize(),
      options.stateSize(),
      options.layers(),
      options.directions(),
      options.summed() ? 1 : 0,
      Double.doubleToRawLongBits(dropout),
      dropoutKey,
      chunkSteps,
      keepsAll ? 1 : 0,
      weights.plain() ? 1 : 0,
      0, // offsets and order are arrays of their own
      0,
      layout.steps(),
      layout.sequences(),
      input.rows().address(lease),
      input.indexAddress(lease),
      input.tableRows(),
      0 // layers likewise
    };
  }

  /** The fields of {@code RecurrentLayer} for every layer and direction of a forward pass. */
  long[] forwardLayers(Lease lease, RecurrentWeights.Places weights, State initial) {
    return layers(lease, weights, State.addresses(initial, lease), State.addresses(finalState, lease));
  }

  /** The same for single steps, each of which starts from the state that the one before left. */
  long[] sessionLayers(Lease lease, RecurrentWeights.Places weights) {
    State.Addresses state = State.addresses(finalState, lease);
    return layers(lease, weights, state, state);
  }

  /** The same for the backward pass, which needs neither the initial state (it has a copy) nor the final one. */
  long[] backwardLayers(Lease lease, RecurrentWeights.Places weights) {
    return layers(lease, weights, State.Addresses.NONE, State.Addresses.NONE);
  }

  private long[] layers(
      Lease lease, RecurrentWeights.Places weights, State.Addresses initial, State.Addresses finals) {
    long base = lease.address(memory);
    StructWriter fields = new StructWriter(18 * entries.length);
    for (int e = 0; e < entries.length; e++) {
      Entry entry = entries[e];
      fields
          .add(weights.fields()[e])
          .add(initial.hidden(e))
          .add(initial.cell(e))
          .add(finals.hidden(e))
          .add(finals.cell(e))
          .add(base + states[e / options.directions()] + columnOffset(options, e % options.directions()))
          .add(options.kind().hasCells() ? base + entry.cells : 0)
          .add(base + entry.gates)
          .add(options.kind().hasRecurrent() ? base + entry.recurrent : 0)
          .add(options.projectionSize() > 0 ? base + entry.unprojected : 0)
          .add(hasOutputs(e / options.directions()) ? base + outputs[e / options.directions()] : 0)
          .add(readsTable(e) ? base + entry.ofTable : 0);
    }
    return fields.longs();
  }

  /** Bytes before the columns of a direction, where directions stand side by side. */
  static long columnOffset(RecurrentOptions options, int direction) {
    return (long) direction * options.stateSize() * Float.BYTES;
  }

  /** Requires that the forward pass kept what a backward pass needs. */
  void checkKept() {
    if (!keepsAll) {
      throw new IllegalStateException("output is of infer, which keeps nothing for backward: expected one of forward");
    }
  }

  /** Allows one backward pass: it overwrites the gates with their gradients. */
  void startBackward(long currentVersion) {
    if (currentVersion != weightsVersion) {
      throw new IllegalStateException(
          "parameters have changed since forward: expected backward before an optimiser's step or a set");
    }
    if (!propagated.compareAndSet(false, true)) {
      throw new IllegalStateException("backward has run on this output already: expected one for each forward");
    }
  }

  @Override
  public void close() {
    memory.close();
  }
}
