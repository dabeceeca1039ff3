package dev.unroll.layer;

import dev.unroll.internal.Lease;
import dev.unroll.internal.Memory;
import dev.unroll.internal.MemoryNative;

/** The weights of one layer and direction, and what the kernels need of them. */
final class DirectionWeights implements AutoCloseable {
  final Parameter inputWeight;
  final Parameter hiddenWeight;
  final Parameter inputBias;
  final Parameter hiddenBias;
  final Panels inputForward;
  final Panels hiddenForward;
  final Panels inputBackward;
  final Panels hiddenBackward;
  private final Memory biasSum;
  private volatile long biasVersion = -1;

  DirectionWeights(ParameterSet parameters, RecurrentOptions options, int gates, int layer, int direction) {
    String suffix = RecurrentOptions.suffix(layer, direction);
    int hidden = options.hiddenSize();
    int rows = Math.multiplyExact(gates, hidden);
    double bound = 1 / Math.sqrt(hidden);
    inputWeight = parameters.uniform("weight_ih" + suffix, bound, rows, options.inputSize(layer));
    hiddenWeight = parameters.uniform("weight_hh" + suffix, bound, rows, hidden);
    inputBias = options.bias() ? parameters.uniform("bias_ih" + suffix, bound, rows) : null;
    hiddenBias = options.bias() ? parameters.uniform("bias_hh" + suffix, bound, rows) : null;
    inputForward = Panels.forward(inputWeight, 1);
    hiddenForward = Panels.forward(hiddenWeight, gates);
    inputBackward = Panels.backward(inputWeight);
    hiddenBackward = Panels.backward(hiddenWeight);
    biasSum = options.bias() ? Memory.zeroed((long) rows * Float.BYTES, "the layer of bias_ih" + suffix) : null;
  }

  /** Returns b_ih + b_hh, up to date, or null without bias. */
  Memory biasSum() {
    if (biasSum != null && biasVersion != inputBias.version() + hiddenBias.version()) {
      addBiases();
    }
    return biasSum;
  }

  private synchronized void addBiases() {
    long version = inputBias.version() + hiddenBias.version();
    float[] sum = inputBias.values();
    float[] other = hiddenBias.values();
    for (int i = 0; i < sum.length; i++) {
      sum[i] += other[i];
    }
    try (Lease lease = new Lease()) {
      MemoryNative.putFloats(lease.address(biasSum), sum, 0, sum.length);
    }
    biasVersion = version;
  }

  @Override
  public void close() {
    inputForward.close();
    hiddenForward.close();
    inputBackward.close();
    hiddenBackward.close();
    if (biasSum != null) {
      biasSum.close();
    }
  }
}
