package dev.unroll.internal;

/**
 * Moves rows between packed memory and places that native code does not reach, such as nested arrays, through arrays
 * that stay in a near cache. Java reads and writes those places itself, with all of its checks: some steps of a
 * sequence, then those of the next, since that is how callers make them.
 */
public final class StagedRows {
  private static final int FLOATS_AT_ONCE = 1 << 15;

  private StagedRows() {}

  /** A place to read rows from, or to write rows to. */
  public interface Place {
    /**
     * Moves the rows of some steps of a sequence.
     *
     * @param sequence the caller's index
     * @param firstStep from 0
     * @param steps how many
     * @param stage where to put the rows, one after the other from the beginning, or to take them from
     */
    void move(int sequence, int firstStep, int steps, float[] stage);
  }

  /**
   * Fills packed rows.
   *
   * @param order how they are laid out
   * @param features values of a row
   * @param from where they come from
   * @param packed address of the first row
   */
  public static void pack(PackedOrder order, int features, Place from, long packed) {
    Stage stage = new Stage(order, features);
    stage.forEachRectangle(
        (t, steps, p, sequences) -> {
          stage.move(from, t, steps, p, sequences);
          order.packLines(features, t, steps, p, sequences, stage.lines, packed);
        });
  }

  /**
   * Reads packed rows.
   *
   * @param order how they are laid out
   * @param features values of a row
   * @param packed address of the first row
   * @param to where they go
   */
  public static void unpack(PackedOrder order, int features, long packed, Place to) {
    Stage stage = new Stage(order, features);
    stage.forEachRectangle(
        (t, steps, p, sequences) -> {
          order.unpackLines(features, t, steps, p, sequences, packed, stage.lines);
          stage.move(to, t, steps, p, sequences);
        });
  }

  /** Some steps of some packed sequences, each in an array of its own. */
  private static final class Stage {
    final float[][] lines = new float[PackedOrder.MOST_SEQUENCES][];
    private final PackedOrder order;
    private final int features;

    Stage(PackedOrder order, int features) {
      this.order = order;
      this.features = features;
    }

    void forEachRectangle(PackedOrder.Rectangle body) {
      order.forEachRealRectangle(FLOATS_AT_ONCE, lines.length, features, (t, steps, p, sequences) -> {
        for (int i = 0; i < sequences; i++) {
          if (lines[i] == null || lines[i].length < steps * features) {
            lines[i] = new float[steps * features];
          }
        }
        body.move(t, steps, p, sequences);
      });
    }

    void move(Place place, int firstStep, int steps, int firstSequence, int sequences) {
      int length = steps;
      for (int i = 0; i < sequences; i++) {
        int sequence = order.sequence(firstSequence + i);
        while (order.rows(firstStep + length - 1) <= firstSequence + i) {
          length--;
        }
        place.move(sequence, firstStep, length, lines[i]);
      }
    }
  }
}
