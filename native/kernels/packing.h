#pragma once

/// Moves rows between the packed form of a batch (step by step, all sequences of a step together) and the forms that
/// callers hold: one sequence after the other, or padded.
///
/// Where a caller's sequence stands in one piece that is a transposition, of cells of `features` floats. The batch is
/// cut into tiles whose lines stay in a near cache until they are whole; cells of 1, 2 or 4 floats are moved by
/// transpositions of 16 x 4 floats in registers, others one by one.

#include <cstring>
#include <type_traits>

#include "kernels/kernels.h"
#include "kernels/row_copy.h"
#include "kernels/segments.h"

namespace unroll::UNROLL_ISA {

constexpr int64_t kTileSteps = 64, kTileSequences = 64;

/// Rows to be read that lie apart are fetched this many ahead. Rows to be written are not fetched: the processor need
/// not wait for them.
constexpr int64_t kRowsAhead = 4;

/// One side of a tile: line i begins at at[i] and has count[i] cells, `stride` floats apart. Counts do not increase.
template <class Float>
struct Lines {
  static constexpr int64_t kMost = larger(kTileSteps, kTileSequences);
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

/// Calls body(tile) for all cells, on the threads of the pool; begin_of(p) is where the packed sequence p begins.
template <class Float, class PackedFloat, class BeginOf, class Body>
void for_each_tile(const Cells& cells, int64_t step_stride, bool padded, PackedFloat* packed, Parallel& pool,
                   const BeginOf& begin_of, const Body& body) {
  const int64_t across = divide_up(cells.sequence_count, kTileSequences);
  const int64_t tiles = across * divide_up(cells.step_count, kTileSteps);
  parallel_ranges(pool, tiles, kTileSteps * kTileSequences * cells.features, [&](Range part) {
    for (int64_t index = part.begin; index < part.end; ++index) {
      const int64_t t0 = index / across * kTileSteps, p0 = index % across * kTileSequences;
      const int64_t first_step = cells.first_step + t0, first_sequence = cells.first_sequence + p0;
      Tile<Float, PackedFloat> tile;
      Lines<Float>& sequences = tile.sequences;
      sequences.lines = smaller(kTileSequences, cells.sequence_count - p0);
      tile.steps.lines = smaller(kTileSteps, cells.step_count - t0);
      describe_steps(cells, first_step, first_sequence, sequences.lines, packed, tile.steps);
      count_steps(tile.steps, sequences);
      tile.steps.end = end_of_steps(cells, first_step, first_sequence, sequences.lines, tile.steps.lines, packed);
      tile.steps.room = 0;
      sequences.end = nullptr;
      sequences.room = padded ? tile.steps.lines * cells.features : 0;
      sequences.stride = step_stride;
      for (int64_t p = 0; p < sequences.lines; ++p) {
        sequences.at[p] = begin_of(first_sequence + p) + first_step * step_stride;
      }
      body(tile);
    }
  });
}

/// Stores the first n lanes, n from 1 to 16, in whole moves: stores under a mask take several times as long on AMD.
UNROLL_INLINE void store_end(float* to, Vec v, int64_t n) {
  if (n == kLanes) return store(to, v);
  float lanes[kLanes];
  store(lanes, v);
  const float* from = lanes;
  const auto move = [&](auto size) UNROLL_INLINE_LAMBDA {
    if ((n & size) == 0) return;
    Floats<size>::copy(from, to);
    to += size, from += size;
  };
  move(std::integral_constant<int, 8>());
  move(std::integral_constant<int, 4>());
  move(std::integral_constant<int, 2>());
  move(std::integral_constant<int, 1>());
}

/// Fills `size` floats that stand in one piece.
UNROLL_INLINE void fill_run(float* to, int64_t size, float value) {
  const Vec v = broadcast(value);
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) store(to + i, v);
  if (i < size) store_end(to + i, v, size - i);
}

/// Four floats of each of 16 / kCell lines, which are 4 / kCell cells, as 16 floats of each of 4 / kCell lines.
template <int kCell>
struct Block {
  static constexpr int kFrom = kLanes / kCell, kTo = 4 / kCell;
  Vec lines[kTo];

  /// quad(r) is where the floats of line r are.
  template <class Quad>
  UNROLL_INLINE explicit Block(const Quad& quad) {
#pragma GCC unroll 4
    for (int k = 0; k < kTo; ++k) {
      lines[k] = load_quads(quad(k), quad(kTo + k), quad(2 * kTo + k), quad(3 * kTo + k));
    }
    transpose_quads(lines);
  }
};

/// The block of cells i.. and j.. of both sides where lines end: nothing beyond an end is read, and what is written
/// there has room.
template <int kCell>
void transpose_ends(const Lines<const float>& from, const Lines<float>& to, int64_t i, int64_t j) {
  using Cells = Block<kCell>;
  static constexpr float kNothing[4] = {};
  const auto lines_with = [&](int64_t cell) { return cell < to.lines ? smaller(to.count[cell] - i, Cells::kFrom) : 0; };
  const int64_t whole = larger(0, lines_with(j + Cells::kTo - 1)), begun = lines_with(j);
  const float* quads[Cells::kFrom];
  for (int64_t r = 0; r < Cells::kFrom; ++r) quads[r] = r < begun ? from.at[i + r] + j * kCell : kNothing;
  float ends[Cells::kFrom][4];
  for (int64_t r = whole; r < begun; ++r) {
    if (from.has_room(i + r, j * kCell + 4)) continue;
    const int64_t left = (from.count[i + r] - j) * kCell;
#pragma GCC unroll 4
    for (int64_t k = 0; k < 4; ++k) ends[r][k] = k < left ? quads[r][k] : 0.0f;
    quads[r] = ends[r];
  }
  const Cells block([&](int r) { return quads[r]; });
  for (int k = 0; k < Cells::kTo; ++k) {
    const int64_t cells = lines_with(j + k);
    if (cells <= 0) return;
    float* const first = to.at[j + k] + i * kCell;
    if (to.has_room(j + k, i * kCell + kLanes)) {
      store(first, block.lines[k]);
    } else {
      store_end(first, block.lines[k], cells * kCell);
    }
  }
}

/// Moves cells of kCell floats from lines in one piece to lines in one piece.
template <int kCell>
void transpose_lines(const Lines<const float>& from, const Lines<float>& to) {
  using Cells = Block<kCell>;
  for (int64_t i = (from.lines - 1) / Cells::kFrom * Cells::kFrom; i >= 0; i -= Cells::kFrom) {
    int64_t j = 0;
    for (; j + Cells::kTo <= to.lines && to.count[j + Cells::kTo - 1] >= i + Cells::kFrom; j += Cells::kTo) {
      const Cells block([&](int r) UNROLL_INLINE_LAMBDA { return from.at[i + r] + j * kCell; });
#pragma GCC unroll 4
      for (int k = 0; k < Cells::kTo; ++k) store(to.at[j + k] + i * kCell, block.lines[k]);
    }
    for (; j < to.lines && to.count[j] > i; j += Cells::kTo) transpose_ends<kCell>(from, to, i, j);
  }
}

/// Moves cells one by one, to one line after the other. A cell may be moved loosely if both it and the place that it
/// goes to are followed by another of the same line.
template <class Copy>
void copy_into_lines(Copy copy, const Lines<const float>& from, const Lines<float>& to) {
  for (int64_t j = 0; j < to.lines; ++j) {
    const int64_t count = to.count[j], loose = smaller(to.count[j + 1], count - 1);
    const int64_t start = j * from.stride;
    float* cell = to.at[j];
    int64_t i = 0;
    for (; i < loose; ++i, cell += copy.size) {
      copy.fetch(from.at[smaller(i + kRowsAhead, loose)] + start);
      copy.loose(from.at[i] + start, cell);
    }
    for (; i < count; ++i, cell += copy.size) copy.exact(from.at[i] + start, cell);
  }
}

/// The same for lines to be written that are not in one piece: from one line after the other.
template <class Copy>
void copy_out_of_lines(Copy copy, const Lines<const float>& from, const Lines<float>& to) {
  for (int64_t i = 0; i < from.lines; ++i) {
    const float* cell = from.at[i];
    for (int64_t j = 0; j < from.count[i]; ++j, cell += copy.size) copy.exact(cell, to.at[j] + i * to.stride);
  }
}

/// How the cells of the callers' side of a tile stand.
enum class Standing {
  kSequences,  ///< each sequence in one piece
  kSteps,      ///< each step in one piece, as packed
  kApart
};

template <class Float>
Standing standing(const Lines<Float>& sequences, int64_t features) {
  if (sequences.stride == features) return Standing::kSequences;
  for (int64_t p = 1; p < sequences.lines; ++p) {
    if (sequences.at[p] != sequences.at[p - 1] + features) return Standing::kApart;
  }
  return Standing::kSteps;
}

/// Calls body(padded, packed, floats) for every step of a tile whose steps stand in one piece.
template <class Float, class PackedFloat, class Body>
void for_each_run(const Tile<Float, PackedFloat>& tile, const Body& body) {
  for (int64_t t = 0; t < tile.steps.lines; ++t) {
    body(tile.sequences.at[0] + t * tile.sequences.stride, tile.steps.at[t], tile.steps.count[t] * tile.steps.stride);
  }
}

template <class Copy>
void move_cells(Copy copy, const Lines<const float>& from, const Lines<float>& to) {
  if constexpr (Copy::kTransposed != 0) {
    transpose_lines<Copy::kTransposed>(from, to);
  } else {
    copy_into_lines(copy, from, to);
  }
}

/// Not inlined, like its likes: one copy serves all that are called for tiles.
template <class Copy>
__attribute__((noinline)) void pack_tile(Copy copy, const Tile<const float, float>& tile) {
  switch (standing(tile.sequences, copy.size)) {
    case Standing::kSequences:
      return move_cells(copy, tile.sequences, tile.steps);
    case Standing::kSteps:
      return for_each_run(tile, [](const float* padded, float* packed, int64_t size) {
        std::memcpy(packed, padded, static_cast<size_t>(size) * sizeof(float));
      });
    case Standing::kApart:
      return copy_into_lines(copy, tile.sequences, tile.steps);
  }
}

template <class Copy>
__attribute__((noinline)) void unpack_tile(Copy copy, const Tile<float, const float>& tile) {
  switch (standing(tile.sequences, copy.size)) {
    case Standing::kSequences:
      return move_cells(copy, tile.steps, tile.sequences);
    case Standing::kSteps:
      return for_each_run(tile, [](float* padded, const float* packed, int64_t size) {
        std::memcpy(padded, packed, static_cast<size_t>(size) * sizeof(float));
      });
    case Standing::kApart:
      return copy_out_of_lines(copy, tile.steps, tile.sequences);
  }
}

/// Fills the cells of a tile that are no real steps.
template <class Copy>
__attribute__((noinline)) void fill_tile(Copy copy, const Tile<float, const float>& tile, float padding) {
  const Lines<float>& sequences = tile.sequences;
  if (sequences.stride == copy.size) {
    for (int64_t p = 0; p < sequences.lines; ++p) {
      const int64_t length = sequences.count[p];
      fill_run(sequences.at[p] + length * copy.size, (tile.steps.lines - length) * copy.size, padding);
    }
    return;
  }
  for (int64_t t = 0; t < tile.steps.lines; ++t) {
    for (int64_t p = tile.steps.count[t]; p < sequences.lines; ++p) {
      copy.fill(padding, sequences.at[p] + t * sequences.stride);
    }
  }
}

inline void pack_any_tile(const Tile<const float, float>& tile) {
  with_row_copy(tile.steps.stride, [&](auto copy) { pack_tile(copy, tile); });
}

inline void unpack_any_tile(const Tile<float, const float>& tile) {
  with_row_copy(tile.steps.stride, [&](auto copy) { unpack_tile(copy, tile); });
}

inline void pack_sequences(const Cells& cells, int64_t begin, const float* const* sequences, float* packed) {
  const auto begin_of = [&](int64_t p) { return sequences[p - cells.first_sequence] - begin * cells.features; };
  Alone alone(nullptr);
  for_each_tile<const float>(cells, cells.features, false, packed, alone, begin_of, pack_any_tile);
}

inline void unpack_sequences(const Cells& cells, const float* packed, int64_t begin, float* const* sequences) {
  const auto begin_of = [&](int64_t p) { return sequences[p - cells.first_sequence] - begin * cells.features; };
  Alone alone(nullptr);
  for_each_tile<float>(cells, cells.features, false, packed, alone, begin_of, unpack_any_tile);
}

inline void pack_padded(const PaddedCells& padded_cells, const float* padded, float* packed, Parallel& pool) {
  const Cells& cells = padded_cells.cells;
  const auto begin_of = [=, order = cells.steps.order, stride = padded_cells.sequence_stride](int64_t p) {
    return padded + order[p] * stride;
  };
  for_each_tile<const float>(cells, padded_cells.step_stride, true, packed, pool, begin_of, pack_any_tile);
}

inline void unpack_padded(const PaddedCells& padded_cells, const float* packed, float padding, float* padded,
                          Parallel& pool) {
  const Cells& cells = padded_cells.cells;
  const auto begin_of = [=, order = cells.steps.order, stride = padded_cells.sequence_stride](int64_t p) {
    return padded + order[p] * stride;
  };
  for_each_tile<float>(cells, padded_cells.step_stride, true, packed, pool, begin_of, [=](const auto& tile) {
    unpack_any_tile(tile);
    with_row_copy(tile.steps.stride, [&](auto copy) { fill_tile(copy, tile, padding); });
  });
}

}  // namespace unroll::UNROLL_ISA
