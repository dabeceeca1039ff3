package dev.unroll.layer;

import dev.unroll.internal.Lease;
import dev.unroll.internal.MemoryNative;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.SequenceLayout;

/**
 * Results and work space of one backward pass through a stack of layers; {@code RecurrentGradient} in {@code kernels.h}
 * says what they hold. The work space is the lease's, the results are the caller's if the pass succeeds.
 */
final class BackwardBuffers {
  private final RecurrentOptions options;
  private final SequenceLayout layout;
  private final PackedSequence outputGradient;
  private final State finalStateGradient;
  private final PackedSequence inputGradient;
  private final State initialStateGradient;
  private final long work;
  private final Entry[] entries;
  private final long rowOrder;
  private final long previousRows;
  private final long readers;
  private final long firstReaders;
  private final long[] outputGradients;

  /** Bytes before the work space of one layer and direction. */
  private record Entry(long hidden, long cells, long unprojected, long projected) {}

  BackwardBuffers(
      Lease lease,
      RecurrentOptions options,
      LayerInput input,
      PackedSequence outputGradient,
      State finalStateGradient) {
    this.options = options;
    this.layout = input.layout();
    this.outputGradient = outputGradient;
    this.finalStateGradient = finalStateGradient;
    BufferPlan plan = new BufferPlan();
    entries = new Entry[options.entries()];
    for (int e = 0; e < entries.length; e++) {
      entries[e] =
          new Entry(
              plan.add(layout.sequences(), options.stateSize()),
              plan.add(layout.sequences(), options.hiddenSize()),
              plan.add(layout.sequences(), options.hiddenSize()),
              plan.add(layout.rows(), options.projectionSize()));
    }
    rowOrder = plan.add(layout.rows(), 1);
    previousRows = plan.add(layout.rows(), 1);
    readers = plan.addIf(input.isByIndex(), layout.rows(), 1);
    firstReaders = plan.addIf(input.isByIndex(), input.tableRows() + 1L, 1);
    outputGradients = new long[options.layers()];
    for (int l = 0; l < options.layers(); l++) {
      boolean given = l == options.layers() - 1 && outputGradient != null;
      outputGradients[l] = plan.add(given ? 0 : layout.rows(), options.outputSize());
    }
    work = lease.temporary(input.source(), plan.bytes());
    inputGradient = lease.result(input.rows().like());
    initialStateGradient = lease.result(State.allocate(input.source(), options, layout.sequences()));
  }

  /** The fields of {@code RecurrentGradient} for every layer and direction. */
  long[] gradients(Lease lease, RecurrentWeights.Places weights) {
    long[] ofOutputs = outputGradientAddresses(lease);
    State.Addresses finals = State.addresses(finalStateGradient, lease);
    State.Addresses initials = State.addresses(initialStateGradient, lease);
    StructWriter fields = new StructWriter(24 * entries.length);
    for (int e = 0; e < entries.length; e++) {
      int layer = e / options.directions();
      fields
          .add(weights.fields()[e])
          .add(ofOutputs[layer] + (long) options.outputColumn(e % options.directions()) * Float.BYTES)
          .add(finals.hidden(e))
          .add(finals.cell(e))
          .add(initials.hidden(e))
          .add(initials.cell(e))
          .add(layer == 0 ? inputGradient.address(lease) : ofOutputs[layer - 1])
          .add(work + entries[e].hidden)
          .add(work + entries[e].cells)
          .add(work + entries[e].unprojected)
          .add(work + entries[e].projected)
          .add(work + rowOrder)
          .add(work + previousRows)
          .add(work + readers)
          .add(work + firstReaders);
    }
    return fields.longs();
  }

  /** Addresses of dE/d outputs of every layer; those below the top are the input gradients of the layer above. */
  private long[] outputGradientAddresses(Lease lease) {
    long[] addresses = new long[options.layers()];
    for (int l = 0; l < addresses.length; l++) {
      addresses[l] = work + outputGradients[l];
    }
    int top = addresses.length - 1;
    if (outputGradient != null) {
      addresses[top] = outputGradient.address(lease);
    } else {
      MemoryNative.clear(addresses[top], (long) layout.rows() * options.outputSize() * Float.BYTES);
    }
    return addresses;
  }

  RecurrentGradients result() {
    return new RecurrentGradients(inputGradient, initialStateGradient);
  }
}
