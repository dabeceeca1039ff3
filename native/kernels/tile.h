#pragma once

/// The register tile: the one inner loop of every matrix product.

#include <type_traits>

#include "kernels/split.h"
#include "kernels/tile_touches.h"

namespace unroll::UNROLL_ISA {

template <int kRows, int kPanels>
struct Accumulators {
  Vec sum[kRows][kPanels];
};

/// Adds the products of `left` with a block of panels to the sums. With kBeside, all panels of a group that lie beside
/// each other: the distances are then known when compiling, and several steps of k read one piece. The block by value,
/// or gcc 12 reads it again in every step.
template <bool kBeside, int kRows, int kPanels, bool kPacked, class Place>
UNROLL_INLINE void add_products(Left<kPacked> left, PanelBlock block, const Touches<kRows, kPanels, Place>& touches,
                                Accumulators<kRows, kPanels>& acc) {
  const LeftElements<kPacked, kRows> elements(left);
  const int64_t stride = kBeside ? kPanel : block.stride;
  const int64_t step = kBeside ? kPanels * kPanel : kMostBeside == 1 ? kPanel : block.step;
  // `from` is k where no compiler looks through it: each row would else have a pointer of its own to move on.
  const auto multiply_step = [&](int64_t k, int64_t from) UNROLL_INLINE_LAMBDA {
    touches.touch(k);
    Vec right[kPanels];
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) {
      right[p] = load(block.data + p * stride + k * step);
      if constexpr (kRows > 1) right[p] = in_registers(right[p]);
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Vec x = broadcast(elements.at(r, from));
#pragma GCC unroll 4
      for (int p = 0; p < kPanels; ++p) add_product(x, right[p], acc.sum[r][p]);
    }
  };
  constexpr int64_t kAtOnce = kBeside || kMostBeside == 1 ? kStepsAtOnce<kRows, kPanels> : 1;
  int64_t k = 0;
  if constexpr (kAtOnce > 1) {
    for (; k + kAtOnce <= block.length; k += kAtOnce) {
      if constexpr (kReadsRowsOften<kRows, kPanels>) touches.touch_rows(left, k);
#pragma GCC unroll 8
      for (int64_t from = kPacked ? k : opaque(k), i = 0; i < kAtOnce; ++i) multiply_step(k + i, from + i);
    }
  }
#pragma GCC unroll 1
  for (; k < block.length; ++k) multiply_step(k, k);
}

/// sum[r][p] = the products of `left` with a block of panels.
template <int kRows, int kPanels, bool kPacked, class Place>
UNROLL_INLINE Accumulators<kRows, kPanels> multiply_block(Left<kPacked> left, const PanelBlock& block,
                                                          const Touches<kRows, kPanels, Place>& touches) {
  // gcc 12 keeps the accumulators in memory unless every loop over them is unrolled.
  Accumulators<kRows, kPanels> acc;
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) acc.sum[r][p] = broadcast(0.0f);
  }
  if constexpr (kMostBeside == 1 || kPanels == 1) {
    add_products<false>(left, block, touches, acc);
  } else if constexpr (kPacked) {  // what is packed with the left operand is packed in groups
    add_products<true>(left, block, touches, acc);
  } else if (block.is_group_of(kPanels)) {
    add_products<true>(left, block, touches, acc);
  } else {
    add_products<false>(left, block, touches, acc);
  }
  return acc;
}

UNROLL_INLINE Vec load_columns(const float* p, int64_t columns) {
  return columns >= kPanel ? load(p) : load_partial(p, first_lanes(columns));
}
/// All of them by a plain move: what is stored by a mask, a load that follows soon waits for.
UNROLL_INLINE void store_columns(float* p, Vec v, Lanes columns) {
  if (are_all(columns)) return store(p, v);
  store_partial(p, v, columns);
}
UNROLL_INLINE void store_columns(float* p, Vec v, int64_t columns) {
  if (columns >= kPanel) return store(p, v);
  store_partial(p, v, first_lanes(columns));
}

/// out[row][c] = start[row][c] + sums[c] for sums in memory, of which not all columns count or have a start. Not
/// inlined: the tiles of all sizes share it.
__attribute__((noinline)) inline void store_part(const float* sums, int64_t panels, const Start* starts, int64_t row,
                                                 const Outputs& out) {
  for (int64_t p = 0; p < panels; ++p) {
    const Start& start = starts[p];
    const Vec value = load_partial(start.data + row * start.stride, start.columns) + load(sums + p * kPanel);
    store_columns(out.data + row * out.stride + p * kPanel, value, out.of_panel(p));
  }
}

/// The same for a tile in registers; out may be the start. Where masks cost nothing, tiles of many rows move all by
/// masks; of few rows the sums are soon read again.
template <int kRows, int kPanels, bool kPacked>
UNROLL_INLINE void store_tile(const Accumulators<kRows, kPanels>& acc, const Left<kPacked>& left, const Start* starts,
                              const Outputs& out) {
  const int64_t stride = out.stride;  // gcc 12 would read it again after every store
  const auto add = [&](const auto& load_start, const auto& store_sum) UNROLL_INLINE_LAMBDA {
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) {
      const Start start = starts[p];
      float* const to = out.data + p * kPanel;
      const Lanes columns = out.of_panel(p);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const int64_t row = left.to[r];
        const Vec from = load_start(start.data + row * start.stride, start.columns);
        store_sum(to + row * stride, from + acc.sum[r][p], columns);
      }
    }
  };
  if constexpr (kHasMasks && 2 * kRows > kTileRows) {
    add([](const float* from, Lanes columns) UNROLL_INLINE_LAMBDA { return load_partial(from, columns); },
        [](float* to, Vec sum, Lanes columns) UNROLL_INLINE_LAMBDA { store_partial(to, sum, columns); });
  } else {
    bool is_whole = out.columns >= kPanels * kPanel;
    for (int p = 0; p < kPanels; ++p) is_whole &= are_all(starts[p].columns);
    if (is_whole) {
      add([](const float* from, Lanes) UNROLL_INLINE_LAMBDA { return load(from); },
          [](float* to, Vec sum, Lanes) UNROLL_INLINE_LAMBDA { store(to, sum); });
    } else {
      alignas(64) float tile[kRows * kPanels * kPanel];
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
        for (int p = 0; p < kPanels; ++p) store(tile + (r * kPanels + p) * kPanel, acc.sum[r][p]);
      }
#pragma GCC unroll 1
      for (int r = 0; r < kRows; ++r) store_part(tile + r * kPanels * kPanel, kPanels, starts, left.to[r], out);
    }
  }
}

/// One k block of equal tiles, each below the one before: out = starts + left * panels. The tiles from `first_tile` on
/// of those that `far` shares what is read next among; without kFar it is only looked at whether it is null, which says
/// that L1 holds the rows. A function of its own, because gcc 12 spills an accumulator when it shares the registers
/// with more loops around it.
template <int kRows, int kPanels, bool kPacked, bool kFar>
__attribute__((noinline)) void multiply_tiles(Left<kPacked> left, int64_t first_tile, int64_t tiles,
                                              const PanelBlock& block, const Start* starts, const Outputs& outputs,
                                              const FarTiles* far) {
  // Field by field: what was just stored so and is read as a whole would have to wait.
  const Outputs out{outputs.data, outputs.stride, outputs.columns};
  for (int64_t tile = first_tile; tile < first_tile + tiles; ++tile) {
    using Place = std::conditional_t<kFar, Far, Near>;
    Place place;
    if constexpr (kFar) {
      place = far->at(tile);
    } else {
      place = {far != nullptr};
    }
    const Touches<kRows, kPanels, Place> touches(place, left, starts, out);
    store_tile(multiply_block<kRows, kPanels>(left, block, touches), left, starts, out);
    left = left.below(kRows);
  }
}

template <bool kPacked>
using MultiplyTiles = decltype(&multiply_tiles<1, 1, kPacked, false>);

/// multiply_tiles() by rows and panels; null where a tile has no room for so many panels. Low tiles bring nothing in:
/// they are rare, and over too soon for anything to arrive.
template <bool kPacked, bool kFar>
struct TilesBySize {
  MultiplyTiles<kPacked> of[kTileRows][kMostPanels];

  constexpr TilesBySize() : of{} { add<1, 1>(); }

 private:
  template <int kRows, int kPanels>
  constexpr void add() {
    if constexpr (kPanels <= panels_of_tile(kRows)) {
      constexpr bool kBringsIn = kFar && 2 * kRows > kTileRows;
      of[kRows - 1][kPanels - 1] = multiply_tiles<kRows, kPanels, kPacked, kBringsIn>;
      add<kRows, kPanels + 1>();
    } else if constexpr (kRows < kTileRows) {
      add<kRows + 1, 1>();
    }
  }
};
/// The tables: of packed tiles or not, of far operands or near ones.
template <bool kPacked, bool kFar>
constexpr TilesBySize<kPacked, kFar> kTilesBySize;

}  // namespace unroll::UNROLL_ISA
