package dev.unroll.layer;

import dev.unroll.internal.Lease;
import dev.unroll.internal.Memory;
import dev.unroll.internal.MemoryNative;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.SequenceLayout;
import java.util.List;

/**
 * Results and work space of one backward pass through a stack of layers; {@code RecurrentGradient} in {@code kernels.h} says
 * what they hold. The work space is freed when this is closed, the results belong to the caller.
 */
final class BackwardBuffers implements AutoCloseable {
  private final RecurrentOptions options;
  private final SequenceLayout layout;
  private final PackedSequence outputGradient;
  private final State finalStateGradient;
  private final PackedSequence inputGradient;
  private final State initialStateGradient;
  private final Memory work;
  private final long hiddenOffset;
  private final long previousRowsOffset;
  private final long[] outputGradientOffsets;

  BackwardBuffers(
      RecurrentOptions options, PackedSequence input, PackedSequence outputGradient, State finalStateGradient) {
    this.options = options;
    this.layout = input.layout();
    this.outputGradient = outputGradient;
    this.finalStateGradient = finalStateGradient;
    int entries = options.layers() * options.directions();
    BufferPlan plan = new BufferPlan();
    hiddenOffset = plan.add(layout.sequences(), options.hiddenSize());
    previousRowsOffset = plan.add(layout.rows(), 1);
    outputGradientOffsets = new long[options.layers()];
    for (int l = 0; l < options.layers(); l++) {
      boolean given = l == options.layers() - 1 && outputGradient != null;
      outputGradientOffsets[l] = plan.add(given ? 0 : layout.rows(), options.outputSize());
    }
    work = Memory.from(input.source(), plan.bytes(), "RecurrentGradients");
    inputGradient = PackedSequence.allocate(input.source(), layout, options.inputSize());
    initialStateGradient = State.allocate(input.source(), entries, layout.sequences(), options.hiddenSize());
  }

  /** The fields of {@code RecurrentGradient} for every layer and direction. */
  long[] gradients(Lease lease, List<DirectionWeights> weights) {
    long stateBytes = (long) layout.sequences() * options.hiddenSize() * Float.BYTES;
    long buffers = lease.address(work);
    long[] outputGradients = outputGradients(lease, buffers);
    long finalStates = finalStateGradient == null ? 0 : finalStateGradient.address(lease);
    long initialStates = initialStateGradient.address(lease);
    StructWriter fields = new StructWriter(12 * weights.size());
    for (int e = 0; e < weights.size(); e++) {
      DirectionWeights w = weights.get(e);
      int layer = e / options.directions();
      long ofDirection = RecurrentTape.columnOffset(options, e % options.directions());
      fields
          .add(lease.address(w.inputBackward.current()))
          .add(lease.address(w.hiddenBackward.current()))
          .add(outputGradients[layer] + ofDirection)
          .add(finalStateGradient == null ? 0 : finalStates + e * stateBytes)
          .add(initialStates + e * stateBytes)
          .add(layer == 0 ? inputGradient.address(lease) : outputGradients[layer - 1])
          .add(lease.address(w.inputWeight.gradientMemory()))
          .add(lease.address(w.hiddenWeight.gradientMemory()))
          .add(w.inputBias == null ? 0 : lease.address(w.inputBias.gradientMemory()))
          .add(w.hiddenBias == null ? 0 : lease.address(w.hiddenBias.gradientMemory()))
          .add(buffers + hiddenOffset)
          .add(buffers + previousRowsOffset);
    }
    return fields.longs();
  }

  /** Addresses of dE/d outputs of every layer; those below the top are the input gradients of the layer above. */
  private long[] outputGradients(Lease lease, long buffers) {
    long[] addresses = new long[options.layers()];
    for (int l = 0; l < addresses.length; l++) {
      addresses[l] = buffers + outputGradientOffsets[l];
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

  @Override
  public void close() {
    work.close();
  }
}
