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
  private final ParameterSet parameters;
  private final PackingChoice forwardChoice = new PackingChoice();
  private final PackingChoice backwardChoice = new PackingChoice();
  private final Places forward;
  private final Places plainForward;
  private Places backward; // made at the first backward pass: a model that only serves has no gradients
  private Places plainBackward;

  /**
   * Where a pass finds the weights.
   *
   * @param fields of every entry the first fields of {@code RecurrentLayer}, in a backward pass those of {@code
   *     RecurrentGradient}, which are the same in every call
   * @param plain whether they name the weights themselves instead of panels
   * @param memory pins all that they name
   */
  record Places(long[][] fields, boolean plain, Memory memory) {}

  RecurrentWeights(ParameterSet parameters, RecurrentOptions options) {
    this.parameters = parameters;
    try (Lease lease = new Lease()) { // closes what there is if a part fails
      for (int layer = 0; layer < options.layers(); layer++) {
        for (int direction = 0; direction < options.directions(); direction++) {
          entries.add(lease.result(new DirectionWeights(parameters, options, layer, direction)));
        }
      }
      forward = places(false, DirectionWeights::layerFields);
      lease.result(forward.memory);
      plainForward = places(true, DirectionWeights::layerFields);
      lease.done(this);
    }
  }

  /** Fields of the native structs for a layer and direction, and pins what they name. */
  private interface FieldsOf {
    long[] of(DirectionWeights weights, Lease lease, boolean plain);
  }

  private Places places(boolean plain, FieldsOf fields) {
    try (Lease lease = new Lease()) {
      long[][] all = entries.stream().map(w -> fields.of(w, lease, plain)).toArray(long[][]::new);
      return new Places(all, plain, lease.together(owner()));
    }
  }

  private String owner() {
    return "the layer of parameter " + entries.get(0).inputWeight.name();
  }

  List<DirectionWeights> entries() {
    return entries;
  }

  /** Where panels are, for those that bring up to date and pin what they read of them. */
  Places forward() {
    return forward;
  }

  /** Brings up to date and pins the panels that a forward pass reads. */
  void pinForward(Lease lease) {
    for (int e = 0; e < entries.size(); e++) { // an iterator would be the only allocation of a single step
      entries.get(e).updateForward();
    }
    lease.address(forward.memory);
  }

  /** Brings up to date and pins what a forward pass of so many rows reads. */
  Places pinForward(Lease lease, int rows) {
    if (!forwardChoice.choosePlain(parameters.version(), rows)) {
      pinForward(lease);
      return forward;
    }
    entries.forEach(DirectionWeights::updateBiases);
    lease.address(plainForward.memory);
    return plainForward;
  }

  /** Brings up to date and pins what a backward pass of so many rows reads and adds to. */
  Places pinBackward(Lease lease, int rows) {
    boolean plain = backwardChoice.choosePlain(parameters.version(), rows);
    if (!plain) {
      entries.forEach(DirectionWeights::updateBackward);
    }
    Places all = backward(plain);
    lease.address(forward.memory); // the options of the cell
    lease.address(all.memory);
    return all;
  }

  private synchronized Places backward(boolean plain) {
    if (backward == null) {
      try (Lease lease = new Lease()) { // closes the first if the second fails
        Places packed = places(false, DirectionWeights::gradientFields);
        lease.result(packed.memory);
        plainBackward = places(true, DirectionWeights::gradientFields);
        backward = lease.done(packed);
      }
    }
    return plain ? plainBackward : backward;
  }

  @Override
  public synchronized void close() {
    entries.forEach(DirectionWeights::close);
    forward.memory.close();
    plainForward.memory.close();
    if (backward != null) {
      backward.memory.close();
      plainBackward.memory.close();
    }
  }
}
