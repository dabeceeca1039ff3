package dev.unroll.layer;

import dev.unroll.internal.Lease;
import dev.unroll.internal.MatrixNative;
import dev.unroll.internal.Memory;

/** A weight matrix packed for the kernels, packed again only when the weights have changed. */
final class Panels implements AutoCloseable {
  private static final int PANEL_COLUMNS = 16;

  private final Parameter weight;
  private final int firstRow;
  private final int k;
  private final int columns;
  private final int groups;
  private final boolean transposed;
  private final Memory memory;
  private volatile long packedVersion = -1;

  private Panels(Parameter weight, int firstRow, int k, int columns, int groups, boolean transposed) {
    this.weight = weight;
    this.firstRow = firstRow;
    this.k = k;
    this.columns = columns;
    this.groups = groups;
    this.transposed = transposed;
    long panels = groups * (((long) columns / groups + PANEL_COLUMNS - 1) / PANEL_COLUMNS);
    memory = Memory.zeroed(panels * PANEL_COLUMNS * k * Float.BYTES, "the layer of parameter " + weight.name());
  }

  /** The transpose of a weight [out][in], for {@code x W^T}; the gates that its rows hold are interleaved. */
  static Panels forward(Parameter weight, int gates) {
    int[] shape = weight.shape();
    return new Panels(weight, 0, shape[1], shape[0], gates, true);
  }

  /** Some rows of a weight [out][in] as they are, for {@code dY W}. */
  static Panels backward(Parameter weight, int firstRow, int endRow) {
    return new Panels(weight, firstRow, endRow - firstRow, weight.shape()[1], 1, false);
  }

  /** Pins the panels, as they were at the last {@link #update}, or the weights themselves. */
  long address(Lease lease, boolean plain) {
    return plain ? plainAddress(lease) : lease.address(memory);
  }

  /** The {@code WeightForm} of what is at {@link #address}. */
  int form(boolean plain) {
    return !plain ? 0 : transposed ? 2 : 1;
  }

  private long plainAddress(Lease lease) {
    return lease.address(weight.memory()) + (long) firstRow * weight.shape()[1] * Float.BYTES;
  }

  /** Packs the weights unless they are as they were. */
  void update() {
    if (packedVersion != weight.version()) {
      pack();
    }
  }

  /** Pins the panels, brought up to date, or the weights themselves. */
  long current(Lease lease, boolean plain) {
    if (!plain) {
      update();
    }
    return address(lease, plain);
  }

  private synchronized void pack() {
    long version = weight.version();
    if (packedVersion == version) {
      return;
    }
    try (Lease lease = new Lease()) {
      int rowStride = weight.shape()[1];
      long rows = plainAddress(lease);
      MatrixNative.packPanels(rows, rowStride, k, columns, groups, transposed, lease.address(memory));
    }
    packedVersion = version;
  }

  @Override
  public void close() {
    memory.close();
  }
}
