#pragma once

/// The forward pass of a recurrent layer and direction: the time loop, written once for every cell (cell_row.h).

#include "kernels/cell_stages.h"
#include "kernels/input_table.h"

namespace unroll::UNROLL_ISA {

template <class Cell>
struct ForwardPass : LayerRows {
  static constexpr int64_t kGates = Cell::kGates;

  /// Some steps, as numbered in the order of computation; calls for all steps follow one another in that order. With
  /// more than one slice of units, threads divide each step: see slices_of_units().
  void run(Range times, const LayerInput& input, int64_t slices, Parallel& pool) const {
    if (times.begin == 0) load_states();
    const TimeOrder order = time_order(steps(), reverse, false);
    for_each_chunk(times, [&](Range chunk) {
      if (slices > 1) return forward_slices(order, chunk, input, slices, pool);
      for_row_ranges(order, chunk, [&](const RowRanges& rows) {
        if (input.index != nullptr) return copy_products(*this, input, rows, pool);
        multiply(input_product(input, rows), pool);
      });
      for (int64_t i = chunk.begin; i < chunk.end; ++i) {
        for_each_segment(steps(), order.step(i), sequences, reverse,
                         [&](const Segment& segment) { forward_segment(segment); });
      }
    });
    if (times.end == steps().count) store_states();
  }

 private:
  void load_states() const {
    load_initial(layer.initial_state, state_size(), [&](int64_t b) { return state(b); });
    if constexpr (Cell::kHasCells) {
      load_initial(layer.initial_cells, hidden(), [&](int64_t b) { return cells(b); });
    }
  }

  void store_states() const {
    for_each_final_row(steps(), sequences, reverse, [&](int64_t b, int64_t row) {
      copy_floats(state(row), layer.final_state + steps().order[b] * state_size(), state_size());
      if constexpr (Cell::kHasCells) {
        const float* last = cells(call.keeps_all ? row : b);
        copy_floats(last, layer.final_cells + steps().order[b] * hidden(), hidden());
      }
    });
  }

  /// A chunk whose threads divide the units: the input products, then a phase for each step.
  void forward_slices(const TimeOrder& order, Range chunk, const LayerInput& input, int64_t slices,
                      Parallel& pool) const {
    parallel_phases(pool, 1 + chunk.size(), slices, [&](int64_t phase, int64_t slice, float* scratch) {
      if (phase == 0) {
        const Range panels = panel_part(gate_columns(), slices, slice);
        for_row_ranges(order, chunk, [&](const RowRanges& rows) {
          if (input.index != nullptr) return copy_products_of(*this, input, rows, panels);
          multiply_panels(input_product(input, rows), panels, scratch);
        });
        return;
      }
      for_each_segment(steps(), order.step(chunk.begin + phase - 1), sequences, reverse, [&](const Segment& segment) {
        for_each_part(segment,
                      [&](const Segment& part) { forward_phase<0>(part, part_of(unit_blocks(), slices, slice)); });
      });
    });
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

  /// Blocks of units whose panels lie beside each other stay together, if so many can be taken at once.
  Range of_whole_groups(Range most) const {
    if (most.end == unit_blocks()) return most;
    const int64_t end = recurrent_panels().layout.group_of(most.end * kGates).first / kGates;
    return {most.begin, end > most.begin ? end : most.end};
  }

  /// For some blocks of units at a time: all gate sums of all rows, then the cell.
  template <int kPhase>
  void forward_phase(const Segment& segment, Range all) const {
    Sums<kPhase> sums;
    const int64_t at_once = larger(1, sums.kPanels / (segment.sequences.size() * sums.kGates));
    for (int64_t block = all.begin; block < all.end;) {
      const Range blocks = of_whole_groups({block, smaller(block + at_once, all.end)});
      sums.stride = blocks.size() * sums.kGates * kPanel;
      sum_gates(segment, blocks, blocks.end < all.end ? blocks.end : all.begin, sums);
      forward_cells<kPhase>(segment, blocks, sums);
      block = blocks.end;
    }
  }

  /// What a phase multiplies: the states before, or what the first phase left in `recurrent`.
  template <int kPhase>
  LeftRows left(const Segment& segment) const {
    const int64_t b = segment.sequences.begin;
    if (kPhase == 0) return {state(segment.previous + b), state_stride()};
    return {recurrent(kept_row(segment.step) + b), hidden()};
  }

  Panels recurrent_panels() const { return forward_weight(layer.w_hh_panels, state_size(), gate_columns(), kGates); }

  /// The panels from that of a gate and block on, each the `each`-th; those of another block are read next.
  Panels gate_panels(int64_t step, int64_t block, int gate, int64_t each, int64_t next_block) const {
    Panels panels = recurrent_panels().of_step(step);
    panels.first = block * kGates + gate;
    panels.each = each;
    panels.next = next_block * kGates + gate;
    return panels;
  }

  template <int kPhase>
  void sum_gates(const Segment& segment, Range blocks, int64_t next_block, Sums<kPhase>& sums) const {
    const RowRange rows{0, 0, segment.sequences.size()};
    Start starts[sums.kPanels];
    int64_t count = 0;
    CellRow row = first_row<Cell>(segment);
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
                       gate_panels(segment.step, block, kFirst<kPhase>, sums.kGates == 1 ? kGates : 1, next),
                       {&rows, 1},
                       {nullptr, 0, 0, starts + first},
                       {sums.at(0, first), sums.stride, panels * kPanel}},
                      {0, panels}, nullptr);
    }
  }

  /// Bytes of a step's states that stay in L1 from one block of units to the next. Of more, the lines are fetched: they
  /// are a row apart, so that nothing foresees them.
  static constexpr int64_t kNearStates = 16 * 1024;

  template <int kPhase>
  void forward_cells(const Segment& segment, Range blocks, Sums<kPhase>& sums) const {
    const bool fetches = (Cell::kHasCells || Cell::kDirectPath) &&
                         segment.sequences.size() * hidden() * static_cast<int64_t>(sizeof(float)) >= kNearStates;
    const auto prepare = [this, fetches](const CellRow& row) UNROLL_INLINE_LAMBDA {
      if (fetches) fetch_ahead<Cell>(row);
    };
    // In the order of the sums: the blocks of a row, then those of the next.
    const int64_t first_unit = blocks.begin * kPanel, end = blocks.end * kPanel, units = hidden();
    const auto next = [this, first_unit, end, units](CellRow& row) UNROLL_INLINE_LAMBDA {
      row.unit += kPanel;
      if (row.unit == end) {
        row.unit = first_unit;
        move_to_next<Cell>(row);
      }
      row.units = first_lanes(units - row.unit);
    };
    CellRow row = first_row<Cell>(segment);
    move_to_block(blocks.begin, row);
    constexpr int64_t kSums = Sums<kPhase>::kGates * kPanel;
    const float* of_gates = sums.of;
    for (int64_t left = segment.sequences.size() * blocks.size(); left > 0; left -= kCellsAtOnce) {
      const int64_t count = smaller(left, kCellsAtOnce);
      row = forward_cells_of<Cell, kPhase>(of_gates, kSums, count, row, prepare, next);
      of_gates += count * kSums;
    }
  }

  /// h = W_hr m, m what the cell gives without projection.
  void project(const Segment& segment) const {
    const Panels w_hr = forward_weight(layer.w_hr_panels, hidden(), state_size(), 1);
    multiply_rows(segment, {unprojected(kept_row(segment.step)), hidden()}, w_hr, state_blocks(), no_starts(),
                  {state(steps().sequences + segment.row), state_stride(), state_size()}, nullptr);
  }
};

}  // namespace unroll::UNROLL_ISA
