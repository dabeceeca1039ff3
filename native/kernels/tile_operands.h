#pragma once

/// What a register tile works on: rows of a left operand, panels of a right one, start values, and where its sums go.

#include "simd/vec.h"

namespace unroll::UNROLL_ISA {

/// The contract's block of k: each output sums a block from 0 by ascending fma. The block sums of a group are added in
/// ascending order, in the first group to the start value, in each other from 0; then the groups in ascending order.
constexpr int64_t kBlock = 256;
constexpr int64_t kGroup = 16 * kBlock;

constexpr int64_t kPanel = 16;

/// From one packed tile to the next: a line more than its elements, for else the tiles, which are written side by side,
/// would meet in one set of the cache.
constexpr int64_t kPackedTile = kBlock * kTileRows + 16;

/// Left operand of a tile, and the places of its rows among those of the result.
template <bool kPacked>
struct Left;

/// Rows anywhere in memory. Those of the tile below follow; after the last tile as many that may be asked for, without
/// places. Like the other in two registers: more would be passed in memory, which small tiles notice.
template <>
struct Left<false> {
  const float* const* rows;
  const int64_t* to;

  /// That of the tile below one of so many rows.
  UNROLL_INLINE Left below(int count) const { return {rows + count, to + count}; }
};

/// Packed: element (r, k) at data[r + k * kTileRows].
template <>
struct Left<true> {
  const float* data;
  const int64_t* to;

  UNROLL_INLINE Left below(int count) const { return {data + kPackedTile, to + count}; }
};

/// The elements of a left operand, addresses in registers.
template <bool kPacked, int kRows>
struct LeftElements {
  const float* row[kPacked ? 1 : kRows];

  UNROLL_INLINE explicit LeftElements(const Left<kPacked>& left) {
    if constexpr (kPacked) {
      row[0] = left.data;
    } else {
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) row[r] = left.rows[r];
    }
  }
  UNROLL_INLINE float at(int r, int64_t k) const { return kPacked ? row[0][r + k * kTileRows] : row[r][k]; }
};

/// Panels that may lie beside each other in memory: where every tile takes so many. A tile of a single one would find
/// its lines in a part of the sets of L1.
constexpr int kMostBeside = panels_of_tile(kTileRows);

/// One k block of some panels of a right operand, `stride` floats apart: `length` lines of 16 columns each, `step`
/// floats apart, of a single panel in one piece unless panels lie beside each other.
struct PanelBlock {
  const float* data;
  int64_t stride, step, length;

  UNROLL_INLINE bool is_group_of(int64_t panels) const { return stride == kPanel && step == panels * kPanel; }
};

/// Where the results of a product go: rows of `columns` floats, `stride` floats apart.
struct Outputs {
  float* data;
  int64_t stride, columns;

  UNROLL_INLINE Outputs from(int64_t row, int64_t column) const {
    return {data + row * stride + column, stride, columns - column};
  }
  /// Those of a panel, counted from here.
  UNROLL_INLINE Lanes of_panel(int64_t panel) const { return first_lanes(columns - panel * kPanel); }
};

/// What sums start from that start from nothing: it keeps the sign of a sum of -0.
alignas(64) constexpr float kNoStart[kPanel] = {-0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f,
                                                -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f};

/// Start values of the outputs of a panel: rows of a matrix, or one row for all (stride 0). Of the 16 columns there are
/// these.
struct Start {
  const float* data;
  int64_t stride;
  Lanes columns;
};

UNROLL_INLINE Start start_or_nothing(const float* data, int64_t stride, Lanes columns) {
  return data != nullptr ? Start{data, stride, columns} : Start{kNoStart, 0, first_lanes(kPanel)};
}

}  // namespace unroll::UNROLL_ISA
