#pragma once

/// Packing and unpacking of batches that do not stay in the caches: they are written past them, in whole cache lines.
/// Narrow cells are transposed into a stage that stays in a near cache, and go from there line by line.

#include "kernels/copy.h"
#include "kernels/transposition.h"

namespace unroll::UNROLL_ISA {

inline bool goes_past_caches(const Cells& cells) { return goes_past_caches(packed_rows(cells.steps) * cells.features); }

/// Copies floats past the caches; those beside whole cache lines by plain stores.
__attribute__((noinline)) inline void stream_floats(const float* from, float* to, int64_t size) {
  if (size <= 0) return;
  int64_t i = smaller(size, floats_to_line(to));
  if (i > 0) store_end(to, load_partial(from, first_lanes(i)), i);
  for (; i + kLanes <= size; i += kLanes) stream(to + i, load(from + i));
  if (i < size) store_end(to + i, load_partial(from + i, first_lanes(size - i)), size - i);
}

__attribute__((noinline)) inline void stream_fill(float value, float* to, int64_t size) {
  const Vec v = broadcast(value);
  int64_t i = smaller(size, floats_to_line(to));
  if (i > 0) store_end(to, v, i);
  for (; i + kLanes <= size; i += kLanes) stream(to + i, v);
  if (i < size) store_end(to + i, v, size - i);
}

/// Rows that are wide enough to be written past the caches one by one.
struct StreamedRows {
  static constexpr int kTransposed = 0;
  int64_t size;
  UNROLL_INLINE void fetch(const float* row) const { WideRows{size}.fetch(row); }
  UNROLL_INLINE void exact(const float* from, float* to) const { stream_floats(from, to, size); }
  UNROLL_INLINE void loose(const float* from, float* to) const { exact(from, to); }
  UNROLL_INLINE void fill(float value, float* to) const { stream_fill(value, to, size); }
};

constexpr int64_t kStreamedRow = 64;

/// Floats of a stage that stays in a first-level cache, together with as many that are read. More for narrow cells, or
/// lines would be short on both sides.
UNROLL_INLINE int64_t stage_size(int64_t features) { return features < 8 ? 8192 : 4096; }

/// Floats of a line that is written, unless that takes more lines to be read than the processor keeps track of.
constexpr int64_t kWrittenLine = 256, kMostReadLines = 128;

/// A tile has some lines to be read, and as many of their cells as fit into the stage. The cells of the cache line at
/// the end of a line to be written, which other cells share, the next tile reads once more: it writes the line.
UNROLL_INLINE Cutting past_caches_cutting(int64_t features, bool packs) {
  if (features >= kStreamedRow) return {{64, 64}, {0, 0}, packs};
  const int64_t lines = smaller(kMostReadLines, round_up(divide_up(kWrittenLine, features), kLanes));
  const int64_t cells = round_up(stage_size(features) / (lines * features), 4),
                shared = divide_up(kLanes - 1, features);
  if (packs) return {{cells, lines}, {0, shared}, true};
  return {{lines, cells}, {shared, 0}, false};
}

/// Fetches a cell of the next tile, which goes on with the lines of this one.
UNROLL_INLINE void fetch_cell(const float* cell, int64_t size) {
  for (int64_t k = 0; k < size; k += kLanes) __builtin_prefetch(cell + k);
}

/// Moves cells one by one, from one line after the other, to lines with room for a cell more.
template <class Copy>
UNROLL_INLINE void copy_into_stage(Copy copy, const Lines<const float>& from, const Lines<float>& stage) {
  const int64_t next = stage.lines * copy.size;
  for (int64_t i = 0; i < from.lines; ++i) {
    const float* cell = from.at[i];
    const int64_t last = from.count[i] - 1, start = i * copy.size;
    for (int64_t j = 0; j <= last; ++j, cell += copy.size) {
      fetch_cell(cell + next, copy.size);
      if (j < last) {
        copy.loose(cell, stage.at[j] + start);
      } else {
        copy.exact(cell, stage.at[j] + start);
      }
    }
  }
}

/// What of a line a tile writes: whole cache lines, but for the ends of all cells.
struct OwnFloats {
  bool first;    ///< whether no tile has cells before it
  int64_t size;  ///< up to the beginning of what the tile after it has too

  UNROLL_INLINE Range of(const float* line, int64_t floats) const {
    return {first ? 0 : floats_to_line(line), smaller(floats, size + floats_to_line(line + size))};
  }
};

template <class Copy>
void move_cells_to_stage(int64_t features, const Lines<const float>& from, const Lines<float>& stage) {
  if constexpr (Copy::kTransposed != 0) {
    transpose_lines<Copy::kTransposed, true>(from, stage);
  } else {
    copy_into_stage(row_copy<Copy>(features), from, stage);
  }
}

/// Moves the cells of a tile to `to`; end_line(i, line) may add to a line of the stage and returns its floats.
template <class EndLine>
UNROLL_INLINE void move_past_caches(MoveCells move, const Lines<const float>& from, const Lines<float>& to,
                                    OwnFloats own, float* scratch, const EndLine& end_line) {
  const int64_t features = from.stride;
  // Not a multiple of two cache lines, so that the lines' beginnings are spread over the cache's sets.
  const int64_t pitch = ((divide_up(from.lines * features, kLanes) + 1) | 1) * kLanes;
  Lines<float> stage;
  stage.lines = to.lines;
  stage.end = nullptr;
  stage.room = pitch;
  for (int64_t i = 0; i < to.lines; ++i) {
    stage.at[i] = scratch + i * pitch;
    stage.count[i] = to.count[i];
  }
  stage.count[to.lines] = 0;
  move(features, from, stage);
  for (int64_t i = 0; i < to.lines; ++i) {
    const int64_t size = end_line(i, stage.at[i]);
    if (size == 0) continue;
    const Range written = own.of(to.at[i], size);
    stream_floats(stage.at[i] + written.begin, to.at[i] + written.begin, written.size());
  }
}

}  // namespace unroll::UNROLL_ISA
