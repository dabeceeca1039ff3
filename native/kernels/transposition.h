#pragma once

/// Moves the cells of a tile from the lines of one side to those of the other: a transposition. Cells of 1, 2 or 4
/// floats are moved by transpositions of 16 x 4 floats in registers, others one by one.

#include <type_traits>

#include "kernels/cell_lines.h"
#include "kernels/row_copy.h"

namespace unroll::UNROLL_ISA {

/// Rows to be read that lie apart are fetched this many ahead. Rows to be written are not fetched: the processor need
/// not wait for them.
constexpr int64_t kRowsAhead = 4;

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
__attribute__((noinline)) inline void fill_run(float* to, int64_t size, float value) {
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

/// Of 16 / kCell lines fetches what comes `ahead` floats after quad j of each: a part of it, so that in the course of
/// four quads each cache line is fetched once.
template <int kCell>
UNROLL_INLINE void fetch_quads(const Lines<const float>& from, int64_t i, int64_t quad, int64_t ahead) {
  constexpr int64_t kAtOnce = Block<kCell>::kFrom / 4;
  const float* const* const lines = from.at + i + quad % 4 * kAtOnce;
#pragma GCC unroll 4
  for (int64_t r = 0; r < kAtOnce; ++r) __builtin_prefetch(lines[r] + quad / 4 * kLanes + ahead);
}

/// Moves cells of kCell floats from lines in one piece to lines in one piece. With kFetch, fetches what follows in the
/// lines that are read.
template <int kCell, bool kFetch>
UNROLL_INLINE void transpose_lines(const Lines<const float>& from, const Lines<float>& to) {
  using Cells = Block<kCell>;
  for (int64_t i = (from.lines - 1) / Cells::kFrom * Cells::kFrom; i >= 0; i -= Cells::kFrom) {
    int64_t j = 0;
    for (; j + Cells::kTo <= to.lines && to.count[j + Cells::kTo - 1] >= i + Cells::kFrom; j += Cells::kTo) {
      if constexpr (kFetch) fetch_quads<kCell>(from, i, j / Cells::kTo, to.lines * kCell);
      const Cells block([&](int r) UNROLL_INLINE_LAMBDA { return from.at[i + r] + j * kCell; });
#pragma GCC unroll 4
      for (int k = 0; k < Cells::kTo; ++k) store(to.at[j + k] + i * kCell, block.lines[k]);
    }
    for (; j < to.lines && to.count[j] > i; j += Cells::kTo) {
      transpose_ends<kCell>(from, to, i, j);
    }
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

/// Moves cells of `features` floats between the sides of a tile. One function serves all tiles of a kind of rows.
using MoveCells = void (*)(int64_t features, const Lines<const float>& from, const Lines<float>& to);

template <class Copy>
void move_cells(int64_t features, const Lines<const float>& from, const Lines<float>& to) {
  if constexpr (Copy::kTransposed != 0) {
    transpose_lines<Copy::kTransposed, false>(from, to);
  } else {
    copy_into_lines(row_copy<Copy>(features), from, to);
  }
}

}  // namespace unroll::UNROLL_ISA
