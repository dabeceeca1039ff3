package dev.unroll.layer;

import dev.unroll.internal.Lease;
import dev.unroll.internal.Memory;
import java.util.ArrayList;
import java.util.List;

/**
 * The weights of all layers and directions of a stack, and where the kernels find them. Their memory never moves, so the
 * fields that name it are written once, and one pin keeps all of it: a call has nothing to do for each weight but to
 * look whether it has changed.
 */
final class RecurrentWeights implements AutoCloseable {
  private final List<DirectionWeights> entries = new ArrayList<>();
  private final long[][] layerFields;
  private final Memory forward;
  private Backward backward;

  /** What only training needs, made at the first backward pass: a model that only serves has no gradients. */
  private record Backward(long[][] fields, Memory memory) {}

  RecurrentWeights(ParameterSet parameters, RecurrentOptions options) {
    for (int layer = 0; layer < options.layers(); layer++) {
      for (int direction = 0; direction < options.directions(); direction++) {
        entries.add(new DirectionWeights(parameters, options, layer, direction));
      }
    }
    try (Lease lease = new Lease()) {
      layerFields = entries.stream().map(w -> w.layerFields(lease)).toArray(long[][]::new);
      forward = lease.together(owner());
    }
  }

  private String owner() {
    return "the layer of parameter " + entries.get(0).inputWeight.name();
  }

  List<DirectionWeights> entries() {
    return entries;
  }

  int size() {
    return entries.size();
  }

  /** The first fields of {@code RecurrentLayer}, which are the same in every call. */
  long[] layerFields(int entry) {
    return layerFields[entry];
  }

  /** Brings up to date and pins what a forward pass reads. */
  void pinForward(Lease lease) {
    for (int e = 0; e < entries.size(); e++) { // an iterator would be the only allocation of a single step
      entries.get(e).updateForward();
    }
    lease.address(forward);
  }

  /**
   * Brings up to date and pins what a backward pass reads and adds to.
   *
   * @return of every entry the first fields of {@code RecurrentGradient}, which are the same in every call
   */
  long[][] pinBackward(Lease lease) {
    entries.forEach(DirectionWeights::updateBackward);
    Backward all = backward();
    lease.address(forward); // the options of the cell
    lease.address(all.memory);
    return all.fields;
  }

  private synchronized Backward backward() {
    if (backward == null) {
      try (Lease lease = new Lease()) {
        long[][] fields = entries.stream().map(w -> w.gradientFields(lease)).toArray(long[][]::new);
        backward = new Backward(fields, lease.together(owner()));
      }
    }
    return backward;
  }

  @Override
  public synchronized void close() {
    entries.forEach(DirectionWeights::close);
    forward.close();
    if (backward != null) {
      backward.memory.close();
    }
  }
}
