#pragma once

/// The forward pass of some cells, of 16 units of a row each: stage by stage where a whole cell is a longer chain of
/// operations than what the processor keeps in hand, cell by cell elsewhere.

#include "kernels/cell_row.h"
#include "kernels/elementary.h"

namespace unroll::UNROLL_ISA {

/// Cells that are computed together, one stage of all after the other, by way of L1.
constexpr int64_t kCellsAtOnce = kHalvesAtOnce;

/// The stages of a cell from one on.
template <class Cell, int kPhase, int kStage = 0>
UNROLL_INLINE void forward_cell(const float* sums, const CellRow& row, typename Cell::Kept& kept) {
  Cell::template forward<kPhase, kStage, AnySigmoid>(sums, row, kept);
  if constexpr (kStage + 1 < Cell::kStages) forward_cell<Cell, kPhase, kStage + 1>(sums, row, kept);
}

/// The stages from one on, each of all cells before the next. As forward_cells_of().
template <class Cell, int kPhase, int kStage = 0, class Prepare, class Next>
UNROLL_INLINE CellRow forward_stages(const float* sums, int64_t size, int64_t cells, const CellRow& first,
                                     typename Cell::Kept* kept, const Prepare& prepare, const Next& next) {
  CellRow row = first;
#pragma GCC unroll 1
  for (int64_t j = 0; j < cells; ++j, next(row)) {
    if constexpr (kStage == 0) prepare(row);
    Cell::template forward<kPhase, kStage, Sigmoid>(sums + j * size, row, kept[j]);
  }
  if constexpr (kStage + 1 < Cell::kStages) {
    return forward_stages<Cell, kPhase, kStage + 1>(sums, size, cells, first, kept, prepare, next);
  }
  return row;
}

/// Whether the sigmoids among the gates of some cells, whose `size` sums follow one another, all have near arguments;
/// NaN is near.
template <int kSigmoids>
UNROLL_INLINE bool are_near(const float* sums, int64_t size, int64_t cells) {
  if constexpr (kSigmoids == 0) return true;
  Vec most = broadcast(0.0f);
  for (const float* of_cell = sums; of_cell < sums + cells * size; of_cell += size) {
#pragma GCC unroll 4
    for (int g = 0; g < 4; ++g) {
      if (kSigmoids >> g & 1) most = max(abs(load(of_cell + g * kPanel)), most);
    }
  }
  return !any(broadcast(Sigmoid::kMost) < most);
}

/// At most kCellsAtOnce cells, whose `size` sums follow one another; returns the row and units after them. `prepare` is
/// called once for each, `next` moves on to the one after. Peepholes add to the sums, which then do not tell what is
/// near.
template <class Cell, int kPhase, class Prepare, class Next>
UNROLL_INLINE CellRow forward_cells_of(const float* sums, int64_t size, int64_t cells, const CellRow& first,
                                       const Prepare& prepare, const Next& next) {
  typename Cell::Kept kept[kCellsAtOnce];
  if (kCellsAtOnce > 1 && Cell::kStages > 1 && first.options->peepholes == nullptr &&
      are_near<Cell::template kSigmoids<kPhase>>(sums, size, cells)) [[likely]] {
    return forward_stages<Cell, kPhase>(sums, size, cells, first, kept, prepare, next);
  }
  CellRow row = first;
  for (int64_t j = 0; j < cells; ++j, next(row)) {
    prepare(row);
    forward_cell<Cell, kPhase>(sums + j * size, row, kept[0]);
  }
  return row;
}

}  // namespace unroll::UNROLL_ISA
