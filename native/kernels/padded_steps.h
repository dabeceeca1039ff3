#pragma once

/// Packs and unpacks padded batches each of whose steps stands in one piece, one step at a time. Its sequences are in
/// another order, so cells that share a cache line are moved one after the other.

#include <cstring>

#include "kernels/past_caches.h"

namespace unroll::UNROLL_ISA {

/// The cells of one step: cell i, of which there are `count`, is cell order[i] of the padded step.
struct StepCells {
  const int32_t* order;
  int64_t count;
  bool is_run;  ///< order[i] = order[0] + i
};

constexpr int64_t kCellsAhead = 16;

/// Gathers cells of a padded step, or scatters them there; one function serves all steps of a kind of rows.
using GatherCells = void (*)(int64_t features, StepCells cells, const float* padded, int64_t padded_cells, float* to);
using ScatterCells = void (*)(int64_t features, StepCells cells, const float* from, float* padded);
using FillCells = void (*)(int64_t features, StepCells cells, float value, float* padded);

/// A cell is moved loosely if others follow both it and the place that it goes to.
template <class Copy>
void gather_cells(int64_t features, StepCells cells, const float* padded, int64_t padded_cells, float* to) {
  const Copy copy = row_copy<Copy>(features);
  const int64_t size = copy.size, last = cells.count - 1;
  for (int64_t i = 0; i <= last; ++i) {
    copy.fetch(padded + cells.order[smaller(i + kCellsAhead, last)] * size);
    const int64_t cell = cells.order[i];
    if (i < last && cell + 1 < padded_cells) {
      copy.loose(padded + cell * size, to + i * size);
    } else {
      copy.exact(padded + cell * size, to + i * size);
    }
  }
}

template <class Copy>
void scatter_cells(int64_t features, StepCells cells, const float* from, float* padded) {
  const Copy copy = row_copy<Copy>(features);
  const int64_t size = copy.size;
  for (int64_t i = 0; i < cells.count; ++i) copy.exact(from + i * size, padded + cells.order[i] * size);
}

template <class Copy>
void fill_cells(int64_t features, StepCells cells, float value, float* padded) {
  const Copy copy = row_copy<Copy>(features);
  for (int64_t i = 0; i < cells.count; ++i) copy.fill(value, padded + cells.order[i] * copy.size);
}

/// Floats of packed rows that are put together at once before they are written past the caches.
constexpr int64_t kStagedRun = 4096;

inline bool is_run(const int32_t* order, int64_t count) {
  for (int64_t i = 1; i < count; ++i) {
    if (order[i] != order[0] + i) return false;
  }
  return true;
}

/// Calls body(padded step, packed step, real cells, others, scratch) for every step, on the threads of the pool.
template <class Float, class PackedFloat, class Body>
void for_each_padded_step(const PaddedCells& padded_cells, Float* padded, PackedFloat* packed, Parallel& pool,
                          const Body& body) {
  const Cells& cells = padded_cells.cells;
  if (cells.sequence_count == 0) return;
  const int32_t* const order = cells.steps.order + cells.first_sequence;
  const bool run = is_run(order, cells.sequence_count);
  const int64_t tasks = tasks_for(pool, cells.step_count, kCostOfMove * cells.sequence_count * cells.features);
  parallel_for(pool, tasks, [&](int64_t task, float* scratch) {
    const Range part = part_of(cells.step_count, tasks, task);
    for (int64_t t = cells.first_step + part.begin; t < cells.first_step + part.end; ++t) {
      const int64_t rows = larger(0, rows_of_step(cells.steps, t) - cells.first_sequence);
      const int64_t count = smaller(rows, cells.sequence_count);
      const int64_t first = t < cells.steps.count ? cells.steps.offsets[t] + cells.first_sequence : 0;
      body(padded + t * padded_cells.step_stride, packed + first * cells.features, StepCells{order, count, run},
           StepCells{order + count, cells.sequence_count - count, run}, scratch);
    }
    fence();
  });
}

/// Calls body(copy) with a way to copy the cells of steps.
template <class Body>
void with_cell_copy(int64_t features, bool past_caches, const Body& body) {
  if (past_caches && features >= kStreamedRow) return body(StreamedRows{features});
  with_row_copy(features, body);
}

inline void copy_run(const float* from, float* to, int64_t size, bool past_caches) {
  if (past_caches) return stream_floats(from, to, size);
  std::memcpy(to, from, static_cast<size_t>(size) * sizeof(float));
}

inline void pack_padded_steps(const PaddedCells& padded_cells, const float* padded, float* packed, Parallel& pool) {
  const int64_t features = padded_cells.cells.features, sequences = padded_cells.cells.steps.sequences;
  const bool past = goes_past_caches(padded_cells.cells), staged = past && features < kStreamedRow;
  GatherCells gather = nullptr;
  with_cell_copy(features, past, [&]<class Copy>(Copy) { gather = gather_cells<Copy>; });
  const auto pack = [=](const float* from, float* to, StepCells cells, StepCells, float* scratch) {
    if (cells.count == 0) return;
    if (cells.is_run) return copy_run(from + cells.order[0] * features, to, cells.count * features, past);
    if (!staged) return gather(features, cells, from, sequences, to);
    const int64_t at_once = kStagedRun / features;
    for (int64_t i = 0; i < cells.count; i += at_once) {
      const StepCells piece{cells.order + i, smaller(at_once, cells.count - i), false};
      gather(features, piece, from, sequences, scratch);
      stream_floats(scratch, to + i * features, piece.count * features);
    }
  };
  for_each_padded_step(padded_cells, padded, packed, pool, pack);
}

inline void unpack_padded_steps(const PaddedCells& padded_cells, const float* packed, float padding, float* padded,
                                Parallel& pool) {
  const Cells& cells = padded_cells.cells;
  const int64_t features = cells.features, size = cells.sequence_count * features;
  const bool past = goes_past_caches(cells);
  const bool fills = !padded_cells.real_steps_only;
  const bool staged = fills && past && features < kStreamedRow && cells.sequence_count == cells.steps.sequences &&
                      size <= kNearScratchFloats;
  ScatterCells scatter = nullptr;
  FillCells fill = nullptr;
  with_cell_copy(features, past, [&]<class Copy>(Copy) {
    scatter = scatter_cells<Copy>;
    fill = fill_cells<Copy>;
  });
  const auto unpack = [=](float* to, const float* from, StepCells real, StepCells rest, float* scratch) {
    if (real.is_run) {
      const int64_t real_size = real.count * features;
      float* const run = to + real.order[0] * features;
      copy_run(from, run, real_size, past);
      if (!fills) return;
      return past ? stream_fill(padding, run + real_size, size - real_size)
                  : fill_run(run + real_size, size - real_size, padding);
    }
    float* const step = staged ? scratch : to;
    scatter(features, real, from, step);
    if (fills) fill(features, rest, padding, step);
    if (staged) stream_floats(scratch, to, size);
  };
  for_each_padded_step(padded_cells, padded, packed, pool, unpack);
}

}  // namespace unroll::UNROLL_ISA
