package dev.unroll.layer;

import dev.unroll.internal.Lease;
import dev.unroll.internal.Memory;
import dev.unroll.internal.MemoryNative;
import java.util.ArrayList;
import java.util.List;

/** The weights of one layer and direction, and what the kernels need of them. What an option leaves out is null. */
final class DirectionWeights implements AutoCloseable {
  private static final int PEEPHOLES = 3; // of i, f, o

  final Parameter inputWeight;
  final Parameter hiddenWeight;
  final Parameter inputBias;
  final Parameter hiddenBias;
  final Parameter projectionWeight;
  final Parameter peepholes;
  final Panels inputForward;
  final Panels hiddenForward;
  final Panels projectionForward;
  final Panels inputBackward;
  final Panels hiddenBackward;
  final Panels hiddenBackwardSecond;
  final Panels projectionBackward;
  private final RecurrentOptions options;
  private final List<AutoCloseable> owned = new ArrayList<>();
  private final Memory biasSum;
  private volatile long biasVersion = -1;

  DirectionWeights(ParameterSet parameters, RecurrentOptions options, int layer, int direction) {
    this.options = options;
    String suffix = RecurrentOptions.suffix(layer, direction);
    int hidden = options.hiddenSize();
    int rows = options.gateRows();
    int projection = options.projectionSize();
    Initialization start = options.initialization();
    inputWeight = start.inputWeight(parameters, "weight_ih" + suffix, hidden, rows, options.inputSize(layer));
    hiddenWeight = start.recurrentWeight(parameters, "weight_hh" + suffix, hidden, rows, options.stateSize());
    inputBias = options.bias() ? start.other(parameters, "bias_ih" + suffix, hidden, rows) : null;
    hiddenBias = options.bias() ? start.other(parameters, "bias_hh" + suffix, hidden, rows) : null;
    projectionWeight =
        projection > 0 ? start.inputWeight(parameters, "weight_hr" + suffix, hidden, projection, hidden) : null;
    peepholes =
        options.peepholes() ? start.other(parameters, "weight_peephole" + suffix, hidden, PEEPHOLES, hidden) : null;

    int firstRows = options.kind().firstGates() * hidden;
    try (Lease lease = new Lease()) { // closes what there is if a part fails
      lease.result(this);
      inputForward = own(Panels.forward(inputWeight, 1));
      hiddenForward = own(Panels.forward(hiddenWeight, options.kind().gates()));
      projectionForward = projection > 0 ? own(Panels.forward(projectionWeight, 1)) : null;
      inputBackward = own(Panels.backward(inputWeight, 0, rows));
      hiddenBackward = own(Panels.backward(hiddenWeight, 0, firstRows));
      hiddenBackwardSecond = firstRows < rows ? own(Panels.backward(hiddenWeight, firstRows, rows)) : null;
      projectionBackward = projection > 0 ? own(Panels.backward(projectionWeight, 0, projection)) : null;
      biasSum =
          options.bias() ? own(Memory.zeroed((long) rows * Float.BYTES, "the layer of bias_ih" + suffix)) : null;
      lease.done(this);
    }
  }

  private <T extends AutoCloseable> T own(T resource) {
    owned.add(resource);
    return resource;
  }

  /** The biases that the gates' sums start from. */
  private synchronized void addBiases() {
    long version = inputBias.version() + hiddenBias.version();
    if (biasVersion == version) {
      return;
    }
    float[] sum = inputBias.values();
    float[] other = hiddenBias.values();
    int added = options.kind().keepsLastBiasApart() ? sum.length - options.hiddenSize() : sum.length;
    for (int i = 0; i < added; i++) {
      sum[i] += other[i];
    }
    try (Lease lease = new Lease()) {
      MemoryNative.putFloats(lease.address(biasSum), sum, 0, sum.length);
    }
    biasVersion = version;
  }

  /** Address of the recurrent bias that is kept apart, or 0. */
  private long recurrentBias(Lease lease) {
    if (hiddenBias == null || !options.kind().keepsLastBiasApart()) {
      return 0;
    }
    long before = (long) (options.gateRows() - options.hiddenSize()) * Float.BYTES;
    return lease.address(hiddenBias.memory()) + before;
  }

  /** The fields of {@code RecurrentLayer} from {@code w_ih_panels} to {@code options}, with panels or plain weights. */
  long[] layerFields(Lease lease, boolean plain) {
    return new long[] {
      inputForward.address(lease, plain),
      hiddenForward.address(lease, plain),
      projectionForward == null ? 0 : projectionForward.address(lease, plain),
      lease.addressOrNull(biasSum),
      peepholes == null ? 0 : lease.address(peepholes.memory()),
      recurrentBias(lease),
      options.coupled() ? 1 : 0
    };
  }

  /** The fields of {@code RecurrentGradient} from {@code w_ih_back_panels} to {@code d_peepholes}, likewise. */
  long[] gradientFields(Lease lease, boolean plain) {
    return new long[] {
      inputBackward.address(lease, plain),
      hiddenBackward.address(lease, plain),
      hiddenBackwardSecond == null ? 0 : hiddenBackwardSecond.address(lease, plain),
      projectionBackward == null ? 0 : projectionBackward.address(lease, plain),
      gradient(inputWeight, lease),
      gradient(hiddenWeight, lease),
      gradient(projectionWeight, lease),
      gradient(inputBias, lease),
      gradient(hiddenBias, lease),
      gradient(peepholes, lease)
    };
  }

  private static long gradient(Parameter parameter, Lease lease) {
    return parameter == null ? 0 : lease.address(parameter.gradientMemory());
  }

  /** Computes anew what a forward pass reads of weights that have changed. */
  void updateForward() {
    inputForward.update();
    hiddenForward.update();
    if (projectionForward != null) {
      projectionForward.update();
    }
    updateBiases();
  }

  /** The same for a forward pass by plain weights. */
  void updateBiases() {
    if (biasSum != null && biasVersion != inputBias.version() + hiddenBias.version()) {
      addBiases();
    }
  }

  /** The same for a backward pass. */
  void updateBackward() {
    inputBackward.update();
    hiddenBackward.update();
    if (hiddenBackwardSecond != null) {
      hiddenBackwardSecond.update();
    }
    if (projectionBackward != null) {
      projectionBackward.update();
    }
  }

  @Override
  public void close() {
    for (AutoCloseable resource : owned) {
      try {
        resource.close();
      } catch (Exception e) {
        throw new AssertionError("closing memory throws nothing", e);
      }
    }
  }
}
