#pragma once

/// The rows of one recurrent layer and direction: where a step's inputs, gates and states are, and what a pass over
/// some sequences and steps goes through.

#include "kernels/cell_row.h"
#include "kernels/copy.h"
#include "kernels/matmul.h"
#include "kernels/segments.h"

namespace unroll::UNROLL_ISA {

/// What a layer reads: a row for each packed row, or by index the rows of a table.
struct LayerInput {
  const float* rows;
  int64_t size;
  const int32_t* index;  ///< null: none
  int64_t table_rows;
};

struct LayerRows {
  const RecurrentCall& call;
  const RecurrentLayer& layer;
  bool reverse;
  int64_t gates_of_unit;
  Range sequences;  ///< what the pass is over, all or some

  int64_t hidden() const { return call.hidden; }
  int64_t state_size() const { return call.state_size; }
  int64_t state_stride() const { return call.directions * call.state_size; }
  const Steps& steps() const { return call.steps; }
  bool projected() const { return layer.w_hr_panels != nullptr; }
  int64_t unit_blocks() const { return divide_up(hidden(), kPanel); }
  Range state_blocks() const { return {0, divide_up(state_size(), kPanel)}; }
  int64_t gate_columns() const { return gates_of_unit * hidden(); }
  /// A weight that a forward pass multiplies by, W^T, and one of a backward pass, W. Inlined, or a single step notices
  /// that it divides by the number of gates.
  UNROLL_INLINE Panels forward_weight(const float* w, int64_t inputs, int64_t outputs, int64_t gates) const {
    if (call.plain_weights) return plain_panels(w, inputs, outputs, gates, WeightForm::kTransposed);
    return all_panels(w, inputs, outputs, gates);
  }
  Panels backward_weight(const float* w, int64_t outputs, int64_t inputs) const {
    if (call.plain_weights) return plain_panels(w, outputs, inputs, 1, WeightForm::kRows);
    return all_panels(w, outputs, inputs, 1);
  }
  static Starts no_starts() { return side_by_side(nullptr, 0, 0); }
  Starts biases() const { return side_by_side(layer.bias, 0, gate_columns()); }
  Outputs all_gates() const { return {layer.gates, gate_columns(), gate_columns()}; }
  /// The product of some rows of the input and W_ih^T.
  Product input_product(const LayerInput& input, const RowRanges& rows) const {
    const Panels w_ih = forward_weight(layer.w_ih_panels, input.size, gate_columns(), 1);
    return {{input.rows, input.size}, w_ih, rows, biases(), all_gates()};
  }
  float* state(int64_t row) const { return layer.states + row * state_stride(); }
  float* cells(int64_t row) const { return layer.cells + row * hidden(); }
  float* gates(int64_t row) const { return layer.gates + row * gate_columns(); }
  float* recurrent(int64_t row) const { return layer.recurrent + row * hidden(); }
  float* unprojected(int64_t row) const { return layer.unprojected + row * hidden(); }

  /// Row of the gates, and of what else is kept of a step beside the states, of the first sequence of all. Where only a
  /// chunk is kept, a pass over all sequences has the rows of every chunk_steps steps one after the other, as they are
  /// packed. Of any chunk_steps steps in a row no two share a place: those of the second group take no more room than
  /// as many of the first had, which have no fewer rows. Some sequences stand together: other threads, which have
  /// others, then find theirs apart from them, and no cache fetches ahead what another one writes.
  int64_t kept_row(int64_t step) const {
    const int32_t* const offsets = steps().offsets;
    if (call.keeps_all) return offsets[step];
    const int64_t in_group = step % call.chunk_steps;
    if (sequences.size() == steps().sequences) return offsets[step] - offsets[step - in_group];
    return call.chunk_steps * sequences.begin + in_group * sequences.size() - sequences.begin;
  }

  /// Calls body(part) for as many of some steps at a time as a chunk has.
  template <class Body>
  void for_each_chunk(Range times, const Body& body) const {
    for (int64_t i = times.begin; i < times.end; i += call.chunk_steps) {
      body(Range{i, smaller(i + call.chunk_steps, times.end)});
    }
  }

  /// Calls body(ranges) for all rows in a chunk, from packed rows to kept rows (backward the same).
  template <class Body>
  void for_row_ranges(const TimeOrder& order, Range chunk, const Body& body) const {
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

  /// The first row of a segment, as a cell sees it.
  template <class Cell>
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
    row.units = first_lanes(hidden() - row.unit);
  }

  template <class Cell>
  void move_to_next(CellRow& row) const {
    row.gates += gate_columns();
    row.h_prev += state_stride();
    row.h += projected() ? hidden() : state_stride();
    if constexpr (Cell::kHasCells) row.c_prev += hidden(), row.c += hidden();
    if constexpr (Cell::kHasRecurrent) row.recurrent += hidden();
  }

  /// Fetches what the cell of a later row reads and writes beside its gate sums.
  template <class Cell>
  UNROLL_INLINE void fetch_ahead(const CellRow& row) const {
    constexpr int64_t kAhead = 8;
    if constexpr (Cell::kHasCells) {
      __builtin_prefetch(row.c_prev + row.unit + kAhead * hidden());
      __builtin_prefetch(row.c + row.unit + kAhead * hidden(), 1);
    }
    if constexpr (Cell::kDirectPath) __builtin_prefetch(row.h_prev + row.unit + kAhead * state_stride());
    if constexpr (Cell::kRecurrentGradient) {
      __builtin_prefetch(row.gates + Cell::kFirstGates * hidden() + row.unit + kAhead * gate_columns());
    }
    __builtin_prefetch(row.h + row.unit + kAhead * (projected() ? hidden() : state_stride()), 1);
  }

  /// Rows in packed order from an array in the caller's order, or zeros.
  template <class Target>
  void load_initial(const float* values, int64_t size, const Target& target) const {
    for (int64_t b = sequences.begin; b < sequences.end; ++b) {
      if (values == nullptr) {
        clear_floats(target(b), size);
      } else {
        copy_floats(values + steps().order[b] * size, target(b), size);
      }
    }
  }

  void store_final(const float* rows, int64_t size, float* values) const {
    for (int64_t b = sequences.begin; b < sequences.end; ++b) {
      copy_floats(rows + b * size, values + steps().order[b] * size, size);
    }
  }

  /// A product of the rows of a step and some panels.
  void multiply_rows(const Segment& segment, const LeftRows& from, const Panels& panels, Range some,
                     const Starts& start, const Outputs& to, float* scratch) const {
    const Range& rows = segment.sequences;
    const RowRange range{rows.begin, rows.begin, rows.size()};
    multiply_panels({from, panels.of_step(segment.step), {&range, 1}, start, to}, some, scratch);
  }
};

}  // namespace unroll::UNROLL_ISA
