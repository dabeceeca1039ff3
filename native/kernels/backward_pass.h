#pragma once

/// Back-propagation through time of a recurrent layer and direction, written once for every cell (cell_row.h); the
/// gradients of the weights follow in weight_gradients.h.

#include "kernels/between_layers.h"
#include "kernels/layer_rows.h"

namespace unroll::UNROLL_ISA {

/// What the backward pass of a layer and direction does with the gradient of the inputs.
struct InputGradient {
  int64_t columns;
  bool adds;    ///< to what is there
  bool wanted;  ///< at once; if not, it follows

  Starts start(const RecurrentGradient& gradient) const {
    return side_by_side(adds ? gradient.d_input : nullptr, columns, columns);
  }
  Outputs outputs(const RecurrentGradient& gradient) const { return {gradient.d_input, columns, columns}; }
};

/// The gradient of the inputs of some steps, numbered as in the backward pass, from that of their gates.
inline void backward_inputs(const LayerRows& layer_rows, Range times, const RecurrentGradient& gradient,
                            InputGradient of_input, Parallel& pool) {
  const int64_t columns = layer_rows.gate_columns();
  const Panels w_ih = layer_rows.backward_weight(gradient.w_ih_back_panels, columns, of_input.columns);
  layer_rows.for_row_ranges(
      time_order(layer_rows.steps(), layer_rows.reverse, true), times, [&](const RowRanges& rows) {
        multiply({{layer_rows.layer.gates, columns}, w_ih, rows, of_input.start(gradient), of_input.outputs(gradient)},
                 pool);
      });
}

template <class Cell>
struct BackwardPass : LayerRows {
  /// Some steps, as in the forward pass, in the opposite order. d_h [B][P] and d_c [B][H] carry the gradient from step
  /// to step: they start as that of the final state and end as that of the initial state, both in packed order while in
  /// here.
  void run(Range times, const RecurrentGradient& gradient, InputGradient of_input, int64_t slices,
           Parallel& pool) const {
    if (times.begin == 0) load_gradients(gradient);
    const TimeOrder order = time_order(steps(), reverse, true);
    for_each_chunk(times, [&](Range chunk) {
      if (slices > 1) return backward_slices(order, chunk, gradient, of_input, slices, pool);
      for (int64_t i = chunk.begin; i < chunk.end; ++i) {
        for_each_segment(steps(), order.step(i), sequences, reverse,
                         [&](const Segment& segment) { backward_segment(segment, gradient, pool.scratch()); });
      }
      if (of_input.wanted) backward_inputs(*this, chunk, gradient, of_input, pool);
    });
    if (times.end == steps().count) store_gradients(gradient);
  }

 private:
  void load_gradients(const RecurrentGradient& gradient) const {
    load_initial(gradient.d_final_state, state_size(), [&](int64_t b) { return gradient.d_h + b * state_size(); });
    if constexpr (Cell::kHasCells) {
      load_initial(gradient.d_final_cells, hidden(), [&](int64_t b) { return gradient.d_c + b * hidden(); });
    }
  }

  void store_gradients(const RecurrentGradient& gradient) const {
    store_final(gradient.d_h, state_size(), gradient.d_initial_state);
    if constexpr (Cell::kHasCells) store_final(gradient.d_c, hidden(), gradient.d_initial_cells);
  }

  /// Two phases for each step, the gradients of the gates and those of the state before; then those of the inputs, if
  /// wanted.
  void backward_slices(const TimeOrder& order, Range chunk, const RecurrentGradient& gradient, InputGradient of_input,
                       int64_t slices, Parallel& pool) const {
    const int64_t inputs = of_input.columns;
    const Panels w_ih = backward_weight(gradient.w_ih_back_panels, gate_columns(), inputs);
    const int64_t phases = 2 * chunk.size() + (of_input.wanted ? 1 : 0);
    parallel_phases(pool, phases, slices, [&](int64_t phase, int64_t slice, float* scratch) {
      if (phase == 2 * chunk.size()) {
        for_row_ranges(order, chunk, [&](const RowRanges& rows) {
          multiply_panels(
              {{layer.gates, gate_columns()}, w_ih, rows, of_input.start(gradient), of_input.outputs(gradient)},
              panel_part(inputs, slices, slice), scratch);
        });
        return;
      }
      const Range blocks = part_of(unit_blocks(), slices, slice);
      for_each_segment(steps(), order.step(chunk.begin + phase / 2), sequences, reverse, [&](const Segment& segment) {
        if (phase % 2 == 0) {
          backward_cells<0>(segment, gradient, gradient.d_h, blocks);
        } else {
          backward_state(segment, gradient, blocks, scratch);
        }
      });
    });
  }

  void backward_segment(const Segment& segment, const RecurrentGradient& gradient, float* scratch) const {
    const Range units{0, unit_blocks()};
    const float* d_h = gradient.d_h;
    if (projected()) {
      unproject(segment, gradient, scratch);
      d_h = gradient.d_unprojected;
    }
    backward_cells<0>(segment, gradient, d_h, units);
    if constexpr (Cell::kPhases == 2) {
      const int64_t first = Cell::kFirstGates * hidden();
      const Panels w_hh = backward_weight(gradient.w_hh_back_panels[1], gate_columns() - first, state_size());
      multiply_rows(segment, {gates(segment.row) + first, gate_columns()}, w_hh, units, no_starts(),
                    {gradient.d_unprojected, state_size(), state_size()}, scratch);
      backward_cells<1>(segment, gradient, gradient.d_unprojected, units);
    }
    backward_state(segment, gradient, state_blocks(), scratch);
  }

  /// dE/dh_{t-1} = d_gates W_hh, of the first gates and then of those in `recurrent`, plus what came past the gates.
  void backward_state(const Segment& segment, const RecurrentGradient& gradient, Range panels, float* scratch) const {
    const Starts start = side_by_side(gradient.d_h, state_size(), state_size());
    const Outputs d_h{gradient.d_h, state_size(), state_size()};
    const Panels w_hh = backward_weight(gradient.w_hh_back_panels[0], Cell::kFirstGates * hidden(), state_size());
    multiply_rows(segment, {gates(segment.row), gate_columns()}, w_hh, panels, Cell::kDirectPath ? start : no_starts(),
                  d_h, scratch);
    if constexpr (Cell::kRecurrentGradient) {
      const Panels others = backward_weight(gradient.w_hh_back_panels[1], hidden(), state_size());
      multiply_rows(segment, {recurrent(segment.row), hidden()}, others, panels, start, d_h, scratch);
    }
  }

  /// dE/dm = dE/dh W_hr; dE/dh of every row is kept for the gradient of W_hr.
  void unproject(const Segment& segment, const RecurrentGradient& gradient, float* scratch) const {
    float* const of_step = gradient.d_projected + segment.row * state_size();
    for (int64_t b = segment.sequences.begin; b < segment.sequences.end; ++b) {
      const float *const d_output = output_gradient(segment, gradient, b), *const d_h = gradient.d_h + b * state_size();
      float* const sum = of_step + b * state_size();
      for (int64_t j = 0; j < state_size(); ++j) sum[j] = d_output[j] + d_h[j];
    }
    const Panels w_hr = backward_weight(gradient.w_hr_back_panels, state_size(), hidden());
    multiply_rows(segment, {of_step, state_size()}, w_hr, {0, unit_blocks()}, no_starts(),
                  {gradient.d_unprojected, hidden(), hidden()}, scratch);
  }

  /// dE/d output of a row.
  const float* output_gradient(const Segment& segment, const RecurrentGradient& gradient, int64_t b) const {
    return gradient.d_output + (segment.row + b) * output_size(call);
  }

  /// From a row to the one that comes some rows later, in the segment or that of the step that is next; 0 if that is
  /// none. States before are so far ahead only where both steps have as many rows.
  int64_t rows_ahead(const Segment& segment, int64_t b) const {
    constexpr int64_t kAhead = 4;
    const int64_t ahead = smaller(kAhead, segment.sequences.size());
    if (b + ahead < segment.sequences.end) return ahead;
    const int64_t next = segment.previous - steps().sequences;
    return next < 0 ? 0 : next - segment.row - segment.sequences.size() + ahead;
  }

  /// Fetches what the cell of a later row reads and writes: the forward pass left it long ago, and nothing foresees
  /// where the gates of a row, or the rows of the step before, begin.
  UNROLL_INLINE void fetch_kept(const CellRow& row, int64_t rows) const {
    for (int g = 0; g < Cell::kGates; ++g) {
      __builtin_prefetch(row.gates + g * row.stride + row.unit + rows * gate_columns(), 1);
    }
    if constexpr (Cell::kHasCells) {
      __builtin_prefetch(row.c_prev + row.unit + rows * hidden());
      __builtin_prefetch(row.c + row.unit + rows * hidden());
    }
    if constexpr (Cell::kRecurrentGradient) __builtin_prefetch(row.recurrent + row.unit + rows * hidden(), 1);
    const float* const state = Cell::kDirectPath ? row.h_prev : row.h;
    if constexpr (!Cell::kHasCells) __builtin_prefetch(state + row.unit + rows * state_stride());
  }

  /// Of the first phase dE/dh is what came from the step after, `d_h`, and, unless unproject() has added it, the
  /// gradient of the output.
  template <int kPhase>
  void backward_cells(const Segment& segment, const RecurrentGradient& gradient, const float* d_h, Range blocks) const {
    const bool adds_output = kPhase == 0 && !projected();
    CellRow row = first_row<Cell>(segment);
    for (int64_t b = segment.sequences.begin; b < segment.sequences.end; ++b, move_to_next<Cell>(row)) {
      row.d_h_prev = gradient.d_h + b * state_size();
      if constexpr (Cell::kHasCells) row.d_c = gradient.d_c + b * hidden();
      const int64_t ahead = kPhase == 0 ? rows_ahead(segment, b) : 0;
      const float* const d_output = output_gradient(segment, gradient, b);
      for (int64_t block = blocks.begin; block < blocks.end; ++block) {
        move_to_block(block, row);
        if constexpr (kPhase == 0) fetch_kept(row, ahead);
        Vec d = row.load(d_h + b * hidden());
        if (adds_output) {
          __builtin_prefetch(d_output + row.unit + ahead * output_size(call));
          d = row.load(d_output) + d;
        }
        Cell::template backward<kPhase>(row, d);
      }
    }
  }
};

}  // namespace unroll::UNROLL_ISA
