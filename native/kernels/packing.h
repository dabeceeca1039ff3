#pragma once

/// Moves rows between the packed form of a batch (step by step, all sequences of a step together) and the forms that
/// callers hold: one sequence after the other, or padded.
///
/// Where a caller's sequence stands in one piece that is a transposition, of cells of `features` floats. The batch is
/// cut into tiles whose lines stay in a near cache until they are whole.

#include "kernels/padded_steps.h"
#include "kernels/past_caches.h"

namespace unroll::UNROLL_ISA {

/// Lines of narrow cells are written a cache line at a time, all of a tile's before the next. Such a multiple of bytes
/// apart they share a few sets of L1, which hold no more than so many: then fewer lines are written, and more are read.
constexpr int64_t kSharedSets = 2048, kMostSharing = 32;

inline bool share_sets(int64_t features, int64_t lines, int64_t bytes_apart) {
  return features <= 4 && lines > kMostSharing && bytes_apart % kSharedSets == 0;
}

inline Cutting near_cutting(bool shares_sets, bool packs) {
  if (!shares_sets) return {{64, 64}, {0, 0}, false};
  return {packs ? Extent{16, 128} : Extent{128, 16}, {0, 0}, false};
}

/// Whether the steps that are written share sets: only if all have as many sequences.
inline bool steps_share_sets(const Cells& cells) {
  const int64_t rows = rows_of_step(cells.steps, cells.first_step);
  const bool equal = rows == rows_of_step(cells.steps, cells.first_step + cells.step_count / 2);
  const int64_t apart = rows * cells.features * static_cast<int64_t>(sizeof(float));
  return equal && share_sets(cells.features, cells.step_count, apart);
}

/// Whether the sequences that are written do, by the first two of them.
template <class BeginOf>
bool sequences_share_sets(const Cells& cells, const BeginOf& begin_of) {
  if (cells.sequence_count < 2) return false;
  const auto address = [&](int64_t p) { return reinterpret_cast<intptr_t>(begin_of(cells.first_sequence + p)); };
  return share_sets(cells.features, cells.sequence_count, address(1) - address(0));
}

inline MoveCells mover(int64_t features, bool past_caches) {
  MoveCells move = nullptr;
  with_row_copy(features, [&]<class Copy>(Copy) { move = past_caches ? move_cells_to_stage<Copy> : move_cells<Copy>; });
  return move;
}

inline void pack_tile_past_caches(MoveCells move, const Tile<const float, float>& tile, float* scratch) {
  const int64_t features = tile.steps.stride;
  if (features >= kStreamedRow) return copy_out_of_lines(StreamedRows{features}, tile.sequences, tile.steps);
  const auto whole_line = [&](int64_t t, const float*) { return tile.steps.count[t] * features; };
  move_past_caches(move, tile.sequences, tile.steps, {tile.begin.sequences == 0, tile.own.sequences * features},
                   scratch, whole_line);
}

template <class BeginOf>
void pack_lines(const Cells& cells, bool padded, const BeginOf& begin_of, float* packed, Parallel& pool) {
  const int64_t features = cells.features;
  const bool past = goes_past_caches(cells);
  const Cutting cutting = past ? past_caches_cutting(features, true) : near_cutting(steps_share_sets(cells), true);
  const MoveCells move = mover(features, past);
  for_each_tile<const float>(cells, cutting, padded, packed, pool, begin_of, [=](const auto& tile, float* scratch) {
    if (past) return pack_tile_past_caches(move, tile, scratch);
    move(features, tile.sequences, tile.steps);
  });
}

/// Fills what the sequences of a tile have not.
inline void fill_tile(const Tile<float, const float>& tile, float padding, bool past) {
  const Lines<float>& sequences = tile.sequences;
  const int64_t features = sequences.stride;
  for (int64_t p = 0; p < sequences.lines; ++p) {
    const int64_t length = sequences.count[p], size = (tile.steps.lines - length) * features;
    float* const from = sequences.at[p] + length * features;
    if (past) {
      stream_fill(padding, from, size);
    } else {
      fill_run(from, size, padding);
    }
  }
}

inline void unpack_tile_past_caches(MoveCells move, const Tile<float, const float>& tile, const float* padding,
                                    float* scratch) {
  const int64_t features = tile.steps.stride;
  if (features >= kStreamedRow) {
    copy_out_of_lines(StreamedRows{features}, tile.steps, tile.sequences);
    if (padding != nullptr) fill_tile(tile, *padding, true);
    return;
  }
  const auto line = [&](int64_t p, float* staged) {
    const int64_t size = tile.sequences.count[p] * features, whole = tile.steps.lines * features;
    if (padding == nullptr) return size;
    fill_run(staged + size, whole - size, *padding);
    return whole;
  };
  move_past_caches(move, tile.steps, tile.sequences, {tile.begin.steps == 0, tile.own.steps * features}, scratch, line);
}

/// `padding` fills the steps that a sequence has not; without, they are left as they are.
template <class BeginOf>
void unpack_lines(const Cells& cells, const float* packed, const float* padding, const BeginOf& begin_of,
                  Parallel& pool) {
  const int64_t features = cells.features;
  const bool past = goes_past_caches(cells), padded = padding != nullptr;
  const Cutting cutting =
      past ? past_caches_cutting(features, false) : near_cutting(sequences_share_sets(cells, begin_of), false);
  const MoveCells move = mover(features, past);
  for_each_tile<float>(cells, cutting, padded, packed, pool, begin_of, [=](const auto& tile, float* scratch) {
    if (past) return unpack_tile_past_caches(move, tile, padding, scratch);
    move(features, tile.steps, tile.sequences);
    if (padded) fill_tile(tile, *padding, false);
  });
}

inline void pack_sequences(const Cells& cells, const float* const* sequences, float* packed, Parallel& pool) {
  const auto begin_of = [&](int64_t p) { return sequences[p - cells.first_sequence]; };
  pack_lines(cells, false, begin_of, packed, pool);
}

inline void unpack_sequences(const Cells& cells, const float* packed, float* const* sequences, Parallel& pool) {
  const auto begin_of = [&](int64_t p) { return sequences[p - cells.first_sequence]; };
  unpack_lines(cells, packed, nullptr, begin_of, pool);
}

inline bool has_whole_sequences(const PaddedCells& padded_cells) {
  return padded_cells.step_stride == padded_cells.cells.features;
}

inline void pack_padded(const PaddedCells& padded_cells, const float* padded, float* packed, Parallel& pool) {
  if (!has_whole_sequences(padded_cells)) return pack_padded_steps(padded_cells, padded, packed, pool);
  const Cells& cells = padded_cells.cells;
  const auto begin_of = [=, order = cells.steps.order, stride = padded_cells.sequence_stride](int64_t p) {
    return padded + order[p] * stride;
  };
  pack_lines(cells, !padded_cells.real_steps_only, begin_of, packed, pool);
}

inline void unpack_padded(const PaddedCells& padded_cells, const float* packed, float padding, float* padded,
                          Parallel& pool) {
  if (!has_whole_sequences(padded_cells)) return unpack_padded_steps(padded_cells, packed, padding, padded, pool);
  const Cells& cells = padded_cells.cells;
  const auto begin_of = [=, order = cells.steps.order, stride = padded_cells.sequence_stride](int64_t p) {
    return padded + order[p] * stride;
  };
  unpack_lines(cells, packed, padded_cells.real_steps_only ? nullptr : &padding, begin_of, pool);
}

}  // namespace unroll::UNROLL_ISA
