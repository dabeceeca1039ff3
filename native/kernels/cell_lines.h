#pragma once

/// How the cells of a batch are cut into tiles, a cell being the `features` floats of one step of one sequence.

#include "kernels/kernels.h"
#include "kernels/segments.h"

namespace unroll::UNROLL_ISA {

/// Steps and sequences.
struct Extent {
  int64_t steps, sequences;
};

/// How cells are cut into tiles: the most that a tile has, and by how much it overlaps with the tile after it.
struct Cutting {
  Extent tile, overlap;
  bool steps_first;  ///< whether all steps of some sequences follow each other, or all sequences of some steps
};

/// One side of a tile: line i begins at at[i] and has count[i] cells, `stride` floats apart. Counts do not increase.
template <class Float>
struct Lines {
  static constexpr int64_t kMost = 128;
  Float* at[kMost];
  int64_t count[kMost + 1];  ///< ends with 0
  int64_t lines, stride;

  /// Floats that follow a line may be touched before `end`, and within `room` of the line's beginning: read, since they
  /// are the caller's, or written, since they are written again later.
  const float* end;
  int64_t room;

  UNROLL_INLINE bool has_room(int64_t line, int64_t size) const { return at[line] + size <= end || size <= room; }
};

/// Some steps of some sequences: cell t of line p of `sequences` is cell p of line t of `steps`.
template <class Float, class PackedFloat>
struct Tile {
  Lines<Float> sequences;
  Lines<PackedFloat> steps;
  Extent begin;  ///< the first step and sequence, in the rectangle that is cut
  Extent own;    ///< without what the tile after it has too
};

/// Describes the steps of a tile that begins with the given step and packed sequence.
template <class PackedFloat>
UNROLL_INLINE void describe_steps(const Cells& cells, int64_t first_step, int64_t first_sequence, int64_t sequences,
                                  PackedFloat* packed, Lines<PackedFloat>& steps) {
  const int64_t features = cells.features, lines = steps.lines;
  const int64_t real = larger(0, smaller(lines, cells.steps.count - first_step));
  const int32_t* const offsets = cells.steps.offsets + first_step;
  steps.stride = features;
  for (int64_t t = 0; t < real; ++t) {
    steps.count[t] = smaller(larger(offsets[t + 1] - offsets[t] - first_sequence, 0), sequences);
    steps.at[t] = packed + (offsets[t] + first_sequence) * features;
  }
  for (int64_t t = real; t < lines; ++t) steps.count[t] = 0;
  steps.count[lines] = 0;
}

/// The other counts of a tile.
template <class Float, class PackedFloat>
UNROLL_INLINE void count_steps(const Lines<PackedFloat>& steps, Lines<Float>& sequences) {
  int64_t p = 0;
  for (int64_t t = steps.lines; t > 0; --t) {
    for (; p < steps.count[t - 1]; ++p) sequences.count[p] = t;
  }
  for (; p <= sequences.lines; ++p) sequences.count[p] = 0;
}

/// How far packed rows may be touched beyond a step. If they are written: to the end of the tile's last step, if no
/// other tile has any of these steps.
template <class PackedFloat>
UNROLL_INLINE const float* end_of_steps(const Cells& cells, int64_t first_step, int64_t first_sequence,
                                        int64_t sequences, int64_t steps, PackedFloat* packed) {
  if (std::is_const_v<PackedFloat>) return packed + packed_rows(cells.steps) * cells.features;
  if (first_sequence > 0 || rows_of_step(cells.steps, first_step) > sequences) return nullptr;
  return packed + cells.steps.offsets[smaller(first_step + steps, cells.steps.count)] * cells.features;
}

/// Operations in the time that moving a float takes, at the very least.
constexpr int64_t kCostOfMove = 6;

/// The floats that are moved, at most: a rectangle may have cells that no sequence has.
inline int64_t floats_of(const Cells& cells) {
  return smaller(cells.step_count * cells.sequence_count, packed_rows(cells.steps)) * cells.features;
}

/// Calls body(tile, scratch) for every tile of a rectangle of cells, on the threads of the pool; begin_of(p) is where
/// the packed sequence p begins, all of whose steps stand in one piece.
template <class Float, class PackedFloat, class BeginOf, class Body>
void for_each_tile(const Cells& cells, const Cutting& cutting, bool padded, PackedFloat* packed, Parallel& pool,
                   const BeginOf& begin_of, const Body& body) {
  const Extent most = cutting.tile, overlap = cutting.overlap;
  const Extent stride{most.steps - overlap.steps, most.sequences - overlap.sequences};
  const auto tiles_of = [](int64_t size, int64_t most_of, int64_t stride_of) {
    return size <= most_of ? 1 : 1 + divide_up(size - most_of, stride_of);
  };
  if (cells.step_count == 0 || cells.sequence_count == 0) return;
  const int64_t down = tiles_of(cells.step_count, most.steps, stride.steps);
  const int64_t across = tiles_of(cells.sequence_count, most.sequences, stride.sequences), tiles = down * across;
  // Tiles of late steps have few cells or none: with four tasks for each thread the last to end is not far behind.
  const bool shared = tasks_for(pool, tiles, divide_up(kCostOfMove * floats_of(cells), tiles)) > 1;
  const int64_t tasks = shared ? smaller(tiles, 4 * pool.width()) : 1;
  parallel_for(pool, tasks, [&](int64_t task, float* scratch) {
    const Range part = part_of(tiles, tasks, task);
    Tile<Float, PackedFloat> tile;
    for (int64_t index = part.begin; index < part.end; ++index) {
      const int64_t t0 = (cutting.steps_first ? index % down : index / across) * stride.steps;
      const int64_t p0 = (cutting.steps_first ? index / down : index % across) * stride.sequences;
      const int64_t first_step = cells.first_step + t0, first_sequence = cells.first_sequence + p0;
      Lines<Float>& sequences = tile.sequences;
      sequences.lines = smaller(most.sequences, cells.sequence_count - p0);
      tile.steps.lines = smaller(most.steps, cells.step_count - t0);
      tile.begin = {t0, p0};
      tile.own = {t0 + tile.steps.lines == cells.step_count ? tile.steps.lines : stride.steps,
                  p0 + sequences.lines == cells.sequence_count ? sequences.lines : stride.sequences};
      describe_steps(cells, first_step, first_sequence, sequences.lines, packed, tile.steps);
      count_steps(tile.steps, sequences);
      tile.steps.end = end_of_steps(cells, first_step, first_sequence, sequences.lines, tile.steps.lines, packed);
      tile.steps.room = 0;
      sequences.end = nullptr;
      sequences.room = padded ? tile.steps.lines * cells.features : 0;
      sequences.stride = cells.features;
      for (int64_t p = 0; p < sequences.lines; ++p) {
        sequences.at[p] = begin_of(first_sequence + p) + first_step * cells.features;
      }
      body(tile, scratch);
    }
    fence();
  });
}

}  // namespace unroll::UNROLL_ISA
