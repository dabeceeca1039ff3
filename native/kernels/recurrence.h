#pragma once

/// One recurrent layer and direction, written once for every cell: the time loop and back-propagation through time.
///
/// A cell provides the gate arithmetic of up to 16 units of one row (CellRow), and says what it needs of a step:
///   kGates              gates a unit has, in PyTorch's order
///   kPhases             products of one step: 1, or 2 if some gates need the result of others for all units
///   kFirstGates         gates whose gradients are those of W_ih x and W_hh h alike; of two phases those of the first
///   kDirectPath         whether h_{t-1} reaches h_t beside the gates; backward then leaves that part in row.d_h_prev
///   kHasCells           whether there is a second state c
///   kHasRecurrent       whether it keeps more than the gates: see CellRow::recurrent
///   kRecurrentGradient  whether backward leaves dE/d(W_hh h) of the other gates in row.recurrent
///   start(g, row)     what the product of gate g is added to: row.gates, or a bias kept apart
///   forward<phase>(sums, row)
///                       W_ih x + b + W_hh h_{t-1} of the phase's gates one after the other; writes the state and, if
///                       row.keeps, what backward needs
///   backward<phase>(row, d_h)
///                       d_h = dE/dh_t; leaves dE/d(W_ih x) in row.gates

#include "kernels/between_layers.h"
#include "kernels/cell_row.h"
#include "kernels/copy.h"
#include "kernels/matmul.h"
#include "kernels/segments.h"

namespace unroll::UNROLL_ISA {

/// What the backward pass of a layer and direction does with the gradient of the inputs.
struct InputGradient {
  int64_t columns;
  bool adds;    ///< to what is there
  bool wanted;  ///< at once; if not, backward_inputs() follows

  Starts start(const RecurrentGradient& gradient) const {
    return side_by_side(adds ? gradient.d_input : nullptr, columns, columns);
  }
  Outputs outputs(const RecurrentGradient& gradient) const { return {gradient.d_input, columns, columns}; }
};

template <class Cell>
struct Recurrence {
  const RecurrentCall& call;
  const RecurrentLayer& layer;
  bool reverse;

  static constexpr int64_t kGates = Cell::kGates;

  /// Some steps, as numbered in the order of computation; calls for all steps follow one another in that order. `x` are
  /// the layer's input rows. With more than one slice of units, threads divide each step: see slices_of_units().
  void forward(Range sequences, Range times, const float* x, int64_t inputs, int64_t slices, Parallel& pool) const {
    if (times.begin == 0) load_states(sequences);
    const TimeOrder order = time_order(steps(), reverse, false);
    const Panels w_ih = all_panels(layer.w_ih_panels, inputs, gate_columns());
    for_each_chunk(times, [&](Range chunk) {
      if (slices > 1) return forward_slices(order, chunk, sequences, x, inputs, w_ih, slices, pool);
      for_row_ranges(order, chunk, sequences, [&](const RowRanges& rows) {
        multiply({{x, inputs}, w_ih, rows, biases(), all_gates()}, pool);
      });
      for (int64_t i = chunk.begin; i < chunk.end; ++i) {
        for_each_segment(steps(), order.step(i), sequences, reverse,
                         [&](const Segment& segment) { forward_segment(segment); });
      }
    });
    if (times.end == steps().count) store_states(sequences);
  }

  /// Likewise, in the opposite order. d_h [B][P] and d_c [B][H] carry the gradient from step to step: they start as
  /// that of the final state and end as that of the initial state, both in packed order while in here.
  void backward(Range sequences, Range times, const RecurrentGradient& gradient, InputGradient of_input, int64_t slices,
                Parallel& pool) const {
    if (times.begin == 0) load_gradients(sequences, gradient);
    const TimeOrder order = time_order(steps(), reverse, true);
    for_each_chunk(times, [&](Range chunk) {
      if (slices > 1) return backward_slices(order, chunk, sequences, gradient, of_input, slices, pool);
      for (int64_t i = chunk.begin; i < chunk.end; ++i) {
        for_each_segment(steps(), order.step(i), sequences, reverse,
                         [&](const Segment& segment) { backward_segment(segment, gradient, pool.scratch()); });
      }
      if (of_input.wanted) backward_inputs(sequences, chunk, gradient, of_input, pool);
    });
    if (times.end == steps().count) store_gradients(sequences, gradient);
  }

  /// The gradient of the inputs of some steps, numbered as in backward(), from that of their gates.
  void backward_inputs(Range sequences, Range times, const RecurrentGradient& gradient, InputGradient of_input,
                       Parallel& pool) const {
    const Panels w_ih = all_panels(gradient.w_ih_back_panels, gate_columns(), of_input.columns);
    for_row_ranges(time_order(steps(), reverse, true), times, sequences, [&](const RowRanges& rows) {
      multiply({{layer.gates, gate_columns()}, w_ih, rows, of_input.start(gradient), of_input.outputs(gradient)}, pool);
    });
  }

  int64_t hidden() const { return call.hidden; }
  int64_t state_size() const { return call.state_size; }
  int64_t state_stride() const { return call.directions * call.state_size; }
  const Steps& steps() const { return call.steps; }
  bool projected() const { return layer.w_hr_panels != nullptr; }

 private:
  int64_t unit_blocks() const { return divide_up(hidden(), kPanel); }
  Range state_blocks() const { return {0, divide_up(state_size(), kPanel)}; }
  int64_t gate_columns() const { return kGates * hidden(); }
  static Starts no_starts() { return side_by_side(nullptr, 0, 0); }
  Starts biases() const { return side_by_side(layer.bias, 0, gate_columns()); }
  Outputs all_gates() const { return {layer.gates, gate_columns(), gate_columns()}; }
  float* state(int64_t row) const { return layer.states + row * state_stride(); }
  float* cells(int64_t row) const { return layer.cells + row * hidden(); }
  float* gates(int64_t row) const { return layer.gates + row * gate_columns(); }
  float* recurrent(int64_t row) const { return layer.recurrent + row * hidden(); }
  float* unprojected(int64_t row) const { return layer.unprojected + row * hidden(); }

  /// Row of the gates, and of what else is kept of a step beside the states, of the first sequence.
  int64_t kept_row(int64_t step) const {
    return call.keeps_all ? steps().offsets[step] : step % call.chunk_steps * steps().sequences;
  }

  /// Calls body(part) for as many of some steps at a time as a chunk has.
  template <class Body>
  void for_each_chunk(Range times, const Body& body) const {
    for (int64_t i = times.begin; i < times.end; i += call.chunk_steps) {
      body(Range{i, smaller(i + call.chunk_steps, times.end)});
    }
  }

  /// Calls body(ranges) for all rows of some sequences in a chunk, from packed rows to kept rows (backward the same).
  template <class Body>
  void for_row_ranges(const TimeOrder& order, Range chunk, Range sequences, const Body& body) const {
    constexpr int64_t kMost = 64;
    RowRange ranges[kMost];
    int64_t count = 0;
    const Range times = order.ascending ? chunk : Range{order.count - chunk.end, order.count - chunk.begin};
    for (int64_t t = times.begin; t < times.end; ++t) {
      const Range present = intersection({0, rows_of_step(steps(), t)}, sequences);
      if (present.size() <= 0) continue;
      const RowRange next{steps().offsets[t] + present.begin, kept_row(t) + present.begin, present.size()};
      if (count > 0 && ranges[count - 1].precedes(next)) {
        ranges[count - 1].count += next.count;
        continue;
      }
      if (count == kMost) {
        body(RowRanges{ranges, count});
        count = 0;
      }
      ranges[count++] = next;
    }
    if (count > 0) body(RowRanges{ranges, count});
  }

  /// A chunk whose threads divide the units: the input products, then a phase for each step.
  void forward_slices(const TimeOrder& order, Range chunk, Range sequences, const float* x, int64_t inputs,
                      const Panels& w_ih, int64_t slices, Parallel& pool) const {
    parallel_phases(pool, 1 + chunk.size(), slices, [&](int64_t phase, int64_t slice, float* scratch) {
      if (phase == 0) {
        for_row_ranges(order, chunk, sequences, [&](const RowRanges& rows) {
          multiply_panels({{x, inputs}, w_ih, rows, biases(), all_gates()}, panel_part(gate_columns(), slices, slice),
                          scratch);
        });
        return;
      }
      for_each_segment(steps(), order.step(chunk.begin + phase - 1), sequences, reverse, [&](const Segment& segment) {
        for_each_part(segment,
                      [&](const Segment& part) { forward_phase<0>(part, part_of(unit_blocks(), slices, slice)); });
      });
    });
  }

  /// Two phases for each step, the gradients of the gates and those of the state before; then those of the inputs.
  void backward_slices(const TimeOrder& order, Range chunk, Range sequences, const RecurrentGradient& gradient,
                       InputGradient of_input, int64_t slices, Parallel& pool) const {
    const int64_t inputs = of_input.columns;
    const Panels w_ih = all_panels(gradient.w_ih_back_panels, gate_columns(), inputs);
    parallel_phases(pool, 2 * chunk.size() + 1, slices, [&](int64_t phase, int64_t slice, float* scratch) {
      if (phase == 2 * chunk.size()) {
        for_row_ranges(order, chunk, sequences, [&](const RowRanges& rows) {
          multiply_panels(
              {{layer.gates, gate_columns()}, w_ih, rows, of_input.start(gradient), of_input.outputs(gradient)},
              panel_part(inputs, slices, slice), scratch);
        });
        return;
      }
      const Range blocks = part_of(unit_blocks(), slices, slice);
      for_each_segment(steps(), order.step(chunk.begin + phase / 2), sequences, reverse, [&](const Segment& segment) {
        if (phase % 2 == 0) {
          add_output_gradient(segment, gradient, blocks);
          backward_cells<0>(segment, gradient, gradient.d_h, blocks);
        } else {
          backward_state(segment, gradient, blocks, scratch);
        }
      });
    });
  }

  /// The first row of a segment.
  CellRow first_row(const Segment& segment) const {
    const int64_t b = segment.sequences.begin, kept = kept_row(segment.step) + b;
    const int64_t before = segment.previous + b, after = steps().sequences + segment.row + b;
    CellRow result{};
    result.stride = hidden();
    result.gates = gates(kept);
    result.h_prev = state(before);
    result.h = projected() ? unprojected(kept) : state(after);
    result.options = &layer.options;
    result.keeps = call.keeps_all;
    if constexpr (Cell::kHasCells) {
      result.c_prev = cells(call.keeps_all ? before : b);
      result.c = cells(call.keeps_all ? after : b);
    }
    if constexpr (Cell::kHasRecurrent) result.recurrent = recurrent(kept);
    return result;
  }

  void move_to_block(int64_t block, CellRow& row) const {
    row.unit = block * kPanel;
    row.units = smaller(kPanel, hidden() - row.unit);
  }

  void move_to_next(CellRow& row) const {
    row.gates += gate_columns();
    row.h_prev += state_stride();
    row.h += projected() ? hidden() : state_stride();
    if constexpr (Cell::kHasCells) row.c_prev += hidden(), row.c += hidden();
    if constexpr (Cell::kHasRecurrent) row.recurrent += hidden();
  }

  void load_states(Range sequences) const {
    load_initial(sequences, layer.initial_state, state_size(), [&](int64_t b) { return state(b); });
    if constexpr (Cell::kHasCells) {
      load_initial(sequences, layer.initial_cells, hidden(), [&](int64_t b) { return cells(b); });
    }
  }

  void store_states(Range sequences) const {
    for_each_final_row(steps(), sequences, reverse, [&](int64_t b, int64_t row) {
      copy_floats(state(row), layer.final_state + steps().order[b] * state_size(), state_size());
      if constexpr (Cell::kHasCells) {
        const float* last = cells(call.keeps_all ? row : b);
        copy_floats(last, layer.final_cells + steps().order[b] * hidden(), hidden());
      }
    });
  }

  void load_gradients(Range sequences, const RecurrentGradient& gradient) const {
    load_initial(sequences, gradient.d_final_state, state_size(),
                 [&](int64_t b) { return gradient.d_h + b * state_size(); });
    if constexpr (Cell::kHasCells) {
      load_initial(sequences, gradient.d_final_cells, hidden(), [&](int64_t b) { return gradient.d_c + b * hidden(); });
    }
  }

  void store_gradients(Range sequences, const RecurrentGradient& gradient) const {
    store_final(sequences, gradient.d_h, state_size(), gradient.d_initial_state);
    if constexpr (Cell::kHasCells) store_final(sequences, gradient.d_c, hidden(), gradient.d_initial_cells);
  }

  /// Rows in packed order from an array in the caller's order, or zeros.
  template <class Target>
  void load_initial(Range sequences, const float* values, int64_t size, const Target& target) const {
    for (int64_t b = sequences.begin; b < sequences.end; ++b) {
      if (values == nullptr) {
        clear_floats(target(b), size);
      } else {
        copy_floats(values + steps().order[b] * size, target(b), size);
      }
    }
  }

  void store_final(Range sequences, const float* rows, int64_t size, float* values) const {
    for (int64_t b = sequences.begin; b < sequences.end; ++b) {
      copy_floats(rows + b * size, values + steps().order[b] * size, size);
    }
  }

  /// Rows that one pass over the recurrent weights serves: few enough for their gate sums to stay in L1.
  static constexpr int64_t kStepRows = 64;

  /// Calls body(segment) for some rows of a step at a time.
  template <class Body>
  static void for_each_part(const Segment& segment, const Body& body) {
    for (int64_t b = segment.sequences.begin; b < segment.sequences.end; b += kStepRows) {
      Segment part = segment;
      part.sequences = {b, smaller(b + kStepRows, segment.sequences.end)};
      body(part);
    }
  }

  void forward_segment(const Segment& segment) const {
    for_each_part(segment, [&](const Segment& part) {
      forward_phase<0>(part, {0, unit_blocks()});
      if constexpr (Cell::kPhases == 2) forward_phase<1>(part, {0, unit_blocks()});
      if (projected()) project(part);
    });
  }

  /// The gates that a phase computes.
  template <int kPhase>
  static constexpr int kFirst = kPhase == 0 ? 0 : Cell::kFirstGates;
  template <int kPhase>
  static constexpr int kEnd = kPhase + 1 == Cell::kPhases ? Cell::kGates : Cell::kFirstGates;

  /// Gate sums of some rows and blocks of units, in L1: of each row the gates of a block side by side, then the next
  /// block. The fewer rows, the more blocks at once, whose cells then overlap.
  template <int kPhase>
  struct alignas(64) Sums {
    static constexpr int64_t kGates = kEnd<kPhase> - kFirst<kPhase>;
    static constexpr int64_t kPanels = kStepRows * larger(4, kGates);
    int64_t stride;
    alignas(64) float of[kPanels * kPanel];

    float* at(int64_t row, int64_t panel) { return of + row * stride + panel * kPanel; }
  };

  /// For some blocks of units at a time: all gate sums of all rows, then the cell.
  template <int kPhase>
  void forward_phase(const Segment& segment, Range all) const {
    Sums<kPhase> sums;
    const int64_t at_once = larger(1, sums.kPanels / (segment.sequences.size() * sums.kGates));
    for (int64_t block = all.begin; block < all.end; block += at_once) {
      const Range blocks{block, smaller(block + at_once, all.end)};
      sums.stride = blocks.size() * sums.kGates * kPanel;
      sum_gates(segment, blocks, blocks.end < all.end ? blocks.end : all.begin, sums);
      forward_cells<kPhase>(segment, blocks, sums);
    }
  }

  /// What a phase multiplies: the states before, or what the first phase left in `recurrent`.
  template <int kPhase>
  LeftRows left(const Segment& segment) const {
    const int64_t b = segment.sequences.begin;
    if (kPhase == 0) return {state(segment.previous + b), state_stride()};
    return {recurrent(kept_row(segment.step) + b), hidden()};
  }

  /// The panels from that of a gate and block on, each the `step`-th; those of another block are read next.
  Panels gate_panels(int64_t block, int gate, int64_t step, int64_t next_block) const {
    Panels panels = all_panels(layer.w_hh_panels, state_size(), gate_columns());
    panels.next = panels.data + (next_block * kGates + gate) * panels.stride;
    panels.data += (block * kGates + gate) * panels.stride;
    panels.stride *= step;
    return panels;
  }

  template <int kPhase>
  void sum_gates(const Segment& segment, Range blocks, int64_t next_block, Sums<kPhase>& sums) const {
    const RowRange rows{0, 0, segment.sequences.size()};
    Start starts[sums.kPanels];
    int64_t count = 0;
    CellRow row = first_row(segment);
    for (int64_t block = blocks.begin; block < blocks.end; ++block) {
      move_to_block(block, row);
      for (int g = kFirst<kPhase>; g < kEnd<kPhase>; ++g) starts[count++] = Cell::start(g, row, gate_columns());
    }
    // The panels of several blocks follow one another, if a phase has all gates or, every so many, only one.
    const bool regular = Cell::kPhases == 1 || sums.kGates == 1;
    const int64_t at_once = regular ? blocks.size() : 1, panels = at_once * sums.kGates;
    for (int64_t block = blocks.begin; block < blocks.end; block += at_once) {
      const int64_t first = (block - blocks.begin) * sums.kGates;
      const int64_t next = block + at_once < blocks.end ? block + at_once : next_block;
      multiply_panels({left<kPhase>(segment),
                       gate_panels(block, kFirst<kPhase>, sums.kGates == 1 ? kGates : 1, next),
                       {&rows, 1},
                       {nullptr, 0, 0, starts + first},
                       {sums.at(0, first), sums.stride, panels * kPanel}},
                      {0, panels}, nullptr);
    }
  }

  template <int kPhase>
  void forward_cells(const Segment& segment, Range blocks, Sums<kPhase>& sums) const {
    CellRow row = first_row(segment);
    const float* of_gates = sums.of;
    for (int64_t b = segment.sequences.begin; b < segment.sequences.end; ++b, move_to_next(row)) {
      for (int64_t block = blocks.begin; block < blocks.end; ++block, of_gates += sums.kGates * kPanel) {
        move_to_block(block, row);
        Cell::template forward<kPhase>(of_gates, row);
      }
    }
  }

  /// h = W_hr m, m what the cell gives without projection.
  void project(const Segment& segment) const {
    const Panels w_hr = all_panels(layer.w_hr_panels, hidden(), state_size());
    multiply_rows(segment.sequences, {unprojected(kept_row(segment.step)), hidden()}, w_hr, state_blocks(), no_starts(),
                  {state(steps().sequences + segment.row), state_stride(), state_size()}, nullptr);
  }

  /// A product of a range of rows and some panels.
  void multiply_rows(Range rows, const LeftRows& from, const Panels& panels, Range some, const Starts& start,
                     const Outputs& to, float* scratch) const {
    const RowRange range{rows.begin, rows.begin, rows.size()};
    multiply_panels({from, panels, {&range, 1}, start, to}, some, scratch);
  }

  void backward_segment(const Segment& segment, const RecurrentGradient& gradient, float* scratch) const {
    const Range units{0, unit_blocks()};
    add_output_gradient(segment, gradient, state_blocks());
    const float* d_h = gradient.d_h;
    if (projected()) {
      unproject(segment, gradient, scratch);
      d_h = gradient.d_unprojected;
    }
    backward_cells<0>(segment, gradient, d_h, units);
    if constexpr (Cell::kPhases == 2) {
      const int64_t first = Cell::kFirstGates * hidden();
      const Panels w_hh = all_panels(gradient.w_hh_back_panels[1], gate_columns() - first, state_size());
      multiply_rows(segment.sequences, {gates(segment.row) + first, gate_columns()}, w_hh, units, no_starts(),
                    {gradient.d_unprojected, state_size(), state_size()}, scratch);
      backward_cells<1>(segment, gradient, gradient.d_unprojected, units);
    }
    backward_state(segment, gradient, state_blocks(), scratch);
  }

  /// dE/dh_{t-1} = d_gates W_hh, of the first gates and then of those in `recurrent`, plus what came past the gates.
  void backward_state(const Segment& segment, const RecurrentGradient& gradient, Range panels, float* scratch) const {
    const Starts start = side_by_side(gradient.d_h, state_size(), state_size());
    const Outputs d_h{gradient.d_h, state_size(), state_size()};
    const Panels w_hh = all_panels(gradient.w_hh_back_panels[0], Cell::kFirstGates * hidden(), state_size());
    multiply_rows(segment.sequences, {gates(segment.row), gate_columns()}, w_hh, panels,
                  Cell::kDirectPath ? start : no_starts(), d_h, scratch);
    if constexpr (Cell::kRecurrentGradient) {
      const Panels others = all_panels(gradient.w_hh_back_panels[1], hidden(), state_size());
      multiply_rows(segment.sequences, {recurrent(segment.row), hidden()}, others, panels, start, d_h, scratch);
    }
  }

  /// d_h += dE/d output of the step, for some blocks of 16 features.
  void add_output_gradient(const Segment& segment, const RecurrentGradient& gradient, Range blocks) const {
    const int64_t end = smaller(blocks.end * kPanel, state_size());
    for (int64_t b = segment.sequences.begin; b < segment.sequences.end; ++b) {
      const float* d_output = gradient.d_output + (segment.row + b) * output_size(call);
      float* d_h = gradient.d_h + b * state_size();
      for (int64_t j = blocks.begin * kPanel; j < end; ++j) d_h[j] = d_output[j] + d_h[j];
    }
  }

  /// dE/dm = dE/dh W_hr; dE/dh of every row is kept for the gradient of W_hr.
  void unproject(const Segment& segment, const RecurrentGradient& gradient, float* scratch) const {
    for (int64_t b = segment.sequences.begin; b < segment.sequences.end; ++b) {
      copy_floats(gradient.d_h + b * state_size(), gradient.d_projected + (segment.row + b) * state_size(),
                  state_size());
    }
    const Panels w_hr = all_panels(gradient.w_hr_back_panels, state_size(), hidden());
    multiply_rows(segment.sequences, {gradient.d_h, state_size()}, w_hr, {0, unit_blocks()}, no_starts(),
                  {gradient.d_unprojected, hidden(), hidden()}, scratch);
  }

  template <int kPhase>
  void backward_cells(const Segment& segment, const RecurrentGradient& gradient, const float* d_h, Range blocks) const {
    CellRow row = first_row(segment);
    for (int64_t b = segment.sequences.begin; b < segment.sequences.end; ++b, move_to_next(row)) {
      row.d_h_prev = gradient.d_h + b * state_size();
      if constexpr (Cell::kHasCells) row.d_c = gradient.d_c + b * hidden();
      for (int64_t block = blocks.begin; block < blocks.end; ++block) {
        move_to_block(block, row);
        Cell::template backward<kPhase>(row, row.load(d_h + b * hidden()));
      }
    }
  }
};

}  // namespace unroll::UNROLL_ISA
