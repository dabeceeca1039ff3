package dev.unroll.bench;

import dev.unroll.bench.work.LayerWorkload;

/**
 * The time that the silicon allows for a recurrent layer: in every phase the longer of its arithmetic at the FMA peak
 * and its memory traffic at the read bandwidth of the nearest level of memory that holds what the phase goes through.
 * What is left out (activations, the state's update, the order of the steps) can only add to it; but a step that finds a
 * part of the weights in a nearer level, where the one before left it, takes less.
 *
 * <ul>
 *   <li>Products over all rows (inputs, weight gradients, input gradients): the weights pass once, the rows once.
 *   <li>The recurrence: the weights pass once in every step, however many sequences there are, for a block of them is
 *       used on all rows while it is in the first level. With one sequence that traffic is all there is.
 * </ul>
 *
 * With several threads each holds a part of the weights or of the rows in its own caches, so those count together.
 */
final class LimitModel {
  private final Limits limits;
  private final int threads;

  LimitModel(Limits limits, int threads) {
    this.limits = limits;
    this.threads = threads;
  }

  /** Seconds of one pass. */
  double seconds(LayerWorkload work) {
    double rows = work.rows();
    double hidden = work.hidden();
    double gates = work.cell().gates() * hidden;
    double inputs = work.inputs();
    double forward = allRows(rows, gates, inputs, gates * inputs + rows * inputs) + steps(work, gates);
    if (!work.training()) {
      return forward;
    }
    // Backward: the recurrence the other way, gradients of the inputs, and of both weights from gates, inputs, states.
    double backward =
        steps(work, gates)
            + allRows(rows, gates, inputs, gates * inputs + rows * (gates + inputs))
            + allRows(rows, gates, inputs + hidden, (gates + rows) * (inputs + hidden) + rows * gates);
    return forward + backward;
  }

  /** A product of [rows, k] and [k, columns] that reads so many floats. */
  private double allRows(double rows, double columns, double k, double floats) {
    return phase(2 * rows * columns * k, floats, floats);
  }

  /** The recurrence: weights once a step, gates and states of every row. */
  private double steps(LayerWorkload work, double gates) {
    double weights = gates * work.hidden();
    double arithmetic = 2 * work.rows() * weights / limits.fmaPeak(threads);
    // A single step reads the weights of the inputs in between, which push these out.
    double held = work.steps() == 1 ? weights + gates * work.inputs() : weights;
    double ofRows = work.rows() * (gates + work.hidden());
    return Math.max(arithmetic, traffic(work.steps() * weights, held) + traffic(ofRows, ofRows));
  }

  private double phase(double operations, double floats, double held) {
    return Math.max(operations / limits.fmaPeak(threads), traffic(floats, held));
  }

  /** Seconds to read so many floats from the nearest level that holds so many. */
  private double traffic(double floats, double held) {
    for (Limits.Level level : limits.levels()) {
      double bytes = level.shared() ? level.bytes() : threads * level.bytes();
      if (held * Float.BYTES <= bytes) {
        return floats * Float.BYTES / limits.readBandwidth(level, threads);
      }
    }
    throw new AssertionError("memory holds everything");
  }
}
