#pragma once

/// Left operands of products as the tiles read them in one stream: element (r, k) of tile i at [i][k][r].

#include "kernels/tile_operands.h"

namespace unroll::UNROLL_ISA {

/// Of a transposed left operand so many outputs are packed at once: whole tiles.
constexpr int64_t kTransposedRows = 96;
static_assert(kTransposedRows % kTileRows == 0);

/// At most a block of k: 4 x 16 elements at a time are transposed in registers.
template <int kRows>
void pack_tile(const Left<false>& left, int64_t k_size, float* packed) {
  static_assert(kRows <= 8);
  int64_t k = 0;
  if constexpr (kRows >= 4) {
    for (; k + kLanes <= k_size; k += kLanes) {
      const auto pack_four_rows = [&](int64_t first) UNROLL_INLINE_LAMBDA {
        Vec lines[4];
#pragma GCC unroll 4
        for (int r = 0; r < 4; ++r) lines[r] = load(left.rows[first + r] + k);
        transpose_quads(lines);
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
          float* const to = packed + (k + i) * kTileRows + first;
          store_quads(lines[i], to, to + 4 * kTileRows, to + 8 * kTileRows, to + 12 * kTileRows);
        }
      };
      pack_four_rows(0);
      if constexpr (kRows > 4) pack_four_rows(kRows - 4);  // some rows for the second time
    }
  }
  for (; k < k_size; ++k) {
    for (int r = 0; r < kRows; ++r) packed[k * kTileRows + r] = left.rows[r][k];
  }
}

}  // namespace unroll::UNROLL_ISA
