#pragma once

/// The register tile: the one inner loop of every matrix product.

#include <bit>
#include <type_traits>

#include "simd/vec.h"

namespace unroll::UNROLL_ISA {

/// The contract's block of k: each output sums a block from 0 by ascending fma. The block sums of a group are added in
/// ascending order, in the first group to the start value, in each other from 0; then the groups in ascending order.
constexpr int64_t kBlock = 256;
constexpr int64_t kGroup = 16 * kBlock;

constexpr int64_t kPanel = 16;

/// Left operand of a tile, element (r, k) at data[r * row_stride + k * k_stride]. One of the strides is known when
/// compiling: rows of a matrix (kPacked = false, k_stride 1) or a packed tile (kPacked = true, row_stride 1).
template <bool kPacked>
struct Left {
  const float* data;
  int64_t stride;

  UNROLL_INLINE float at(int r, int64_t k) const { return kPacked ? data[r + k * kTileRows] : data[r * stride + k]; }
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

template <int kRows, int kPanels>
struct Accumulators {
  Vec sum[kRows][kPanels];
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

/// A place of a tile's outputs, their start values and what is read after it: beyond L2. What is read after the tile is
/// brought in meanwhile: each step of k touches the next `step` bytes at `next` and `apart` bytes from there, for of a
/// single stream the processor does not fetch enough ahead.
struct Far {
  const float* next;
  int64_t apart, step;
};

/// In L2: to bring in anything would cost more than it saves.
struct Near {
  Near() = default;
  explicit Near(const Far&) {}
};

/// What of a place matters to a tile: low ones are rare, and over too soon for anything to arrive.
template <int kRows, class Place>
using PlaceOfTile = std::conditional_t<(2 * kRows > kTileRows), Place, Near>;

/// Whether a tile takes each line of its left operand's rows into L1 for a single panel: its multiplications are then
/// over so soon that the next tile waits for its own, for nothing foresees where rows begin.
template <int kRows, int kPanels>
constexpr bool kReadsRowsOften = kPanels == 1 && kMostPanels > 1 && panels_of_tile(kRows) == 1;

/// Steps of k between two branches. A branch in every step of a single panel fills the history by which the processor
/// predicts, and the end of a tile comes as a surprise; where sums are many and wide, the counting seems to take turns
/// of the ports that multiply, and 4 steps do as much as 8, or more.
template <int kRows, int kPanels>
constexpr int64_t kStepsAtOnce = kReadsRowsOften<kRows, kPanels>        ? 8
                                 : kRows >= 5 && kPanels == kMostPanels ? 4
                                                                        : 1;

/// What a tile touches while it multiplies: in L2 the lines of its start values, where they are not constant, and of
/// the rows after its own.
template <int kRows, int kPanels, class Place>
struct Touches {
  UNROLL_INLINE Touches(Near, const Start* starts, int64_t first_row, const Outputs&) {
    if constexpr (kReadsRowsOften<kRows, kPanels>) {
      const int64_t stride = starts[0].stride;
      if (stride == 0) return;
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) __builtin_prefetch(starts[0].data + (first_row + r) * stride);
    }
  }
  void touch(int64_t) const {}

  /// Before the 8 steps from k on: of the lines that this tile reads itself in 16, those of the next tile's rows, half
  /// of the rows at a time.
  UNROLL_INLINE void touch_rows(const Left<false>& left, int64_t k) const {
    constexpr int64_t kLine = 16, kHalf = (kRows + 1) / 2;
    static_assert(2 * kStepsAtOnce<kRows, kPanels> == kLine);
    const float* line = left.data + (kRows + (k % kLine == 0 ? 0 : kHalf)) * left.stride + k / kLine * kLine;
#pragma GCC unroll 8
    for (int r = 0; r < kHalf; ++r, line += left.stride) __builtin_prefetch(line);
  }
  void touch_rows(const Left<true>&, int64_t) const {}
};

/// Beside what is read next, the lines of its start values or, where those are constant, of its outputs: missed by its
/// last instructions, they would hold up the next tile. Few are asked for at once; many, one after the other, lest its
/// own panels wait.
template <int kRows, int kPanels>
class Touches<kRows, kPanels, Far> {
 public:
  UNROLL_INLINE Touches(Far far, const Start* starts, int64_t first_row, const Outputs& out) : far_(far) {
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) {
      const bool constant = starts[p].stride == 0;
      const int64_t stride = constant ? out.stride : starts[p].stride;
      const float* const first = constant ? out.data + p * kPanel : starts[p].data + first_row * stride;
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        if constexpr (kAtOnce) {
          __builtin_prefetch(first + r * stride, 1);
        } else {
          lines_[r * kPanels + p] = first + r * stride;
        }
      }
    }
#pragma GCC unroll 16
    for (int i = kCount; !kAtOnce && i < kLines; ++i) lines_[i] = out.data;
  }

  UNROLL_INLINE void touch(int64_t k) const {
    constexpr int64_t kStepsPerLine = 8;
    if constexpr (!kAtOnce) __builtin_prefetch(lines_[static_cast<uint64_t>(k) / kStepsPerLine % kLines], 1);
    const char* const next = reinterpret_cast<const char*>(far_.next) + k * far_.step;
    __builtin_prefetch(next);
    if constexpr (kPanels > 1) __builtin_prefetch(next + far_.apart);
  }

  /// Nothing of the rows: their lines, often a multiple of the pages apart, would push one another out of L1.
  template <class Rows>
  void touch_rows(const Rows&, int64_t) const {}

 private:
  static constexpr int kCount = kRows * kPanels;
  static constexpr bool kAtOnce = kCount <= 8;
  static constexpr int kLines = kAtOnce ? 1 : std::bit_ceil(static_cast<unsigned>(kCount));
  Far far_;
  const float* lines_[kLines];
};

/// Adds the products of `left` with a block of panels to the sums. With kBeside, all panels of a group that lie beside
/// each other: the distances are then known when compiling, and several steps of k read one piece. The block by value,
/// or gcc 12 reads it again in every step.
template <bool kBeside, int kRows, int kPanels, bool kPacked, class Place>
UNROLL_INLINE void add_products(Left<kPacked> left, PanelBlock block, const Touches<kRows, kPanels, Place>& touches,
                                Accumulators<kRows, kPanels>& acc) {
  const int64_t stride = kBeside ? kPanel : block.stride;
  const int64_t step = kBeside ? kPanels * kPanel : kMostBeside == 1 ? kPanel : block.step;
  const auto multiply_step = [&](int64_t k) UNROLL_INLINE_LAMBDA {
    touches.touch(k);
    Vec right[kPanels];
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) {
      right[p] = load(block.data + p * stride + k * step);
      if constexpr (kRows > 1) right[p] = in_registers(right[p]);
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Vec x = broadcast(left.at(r, k));
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
      for (int64_t i = 0; i < kAtOnce; ++i) multiply_step(k + i);
    }
  }
#pragma GCC unroll 1
  for (; k < block.length; ++k) multiply_step(k);
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

/// out[r][c] = start[first_row + r][c] + tile[r][c] for a tile in memory, of which not all columns count or have a
/// start. Not inlined: the tiles of all sizes share it.
__attribute__((noinline)) inline void store_part(const float* tile, int64_t rows, int64_t panels, const Start* starts,
                                                 int64_t first_row, const Outputs& out) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t p = 0; p < panels; ++p, tile += kPanel) {
      const Start& start = starts[p];
      const Vec value = load_partial(start.data + (first_row + r) * start.stride, start.columns) + load(tile);
      store_columns(out.data + r * out.stride + p * kPanel, value, out.of_panel(p));
    }
  }
}

/// The same for a tile in registers; out may be the start. Where masks cost nothing, tiles of many rows move all by
/// masks; of few rows the sums are soon read again.
template <int kRows, int kPanels>
UNROLL_INLINE void store_tile(const Accumulators<kRows, kPanels>& acc, const Start* starts, int64_t first_row,
                              const Outputs& out) {
  const int64_t stride = out.stride;  // gcc 12 would read it again after every store
  const auto add = [&](const auto& load_start, const auto& store_sum) UNROLL_INLINE_LAMBDA {
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) {
      const Start start = starts[p];
      const float* from = start.data + first_row * start.stride;
      float* to = out.data + p * kPanel;
      const Lanes columns = out.of_panel(p);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r, from += start.stride, to += stride) {
        store_sum(to, load_start(from, start.columns) + acc.sum[r][p], columns);
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
      store_part(tile, kRows, kPanels, starts, first_row, out);
    }
  }
}

/// One tile and one k block: out = starts + left * panels. A function of its own, because gcc 12 spills an accumulator
/// when it shares the registers with the loops around it.
template <int kRows, int kPanels, bool kPacked, class Place>
__attribute__((noinline)) void multiply_block_into(Left<kPacked> left, const PanelBlock& block, const Start* starts,
                                                   int64_t first_row, const Outputs& out, Place place) {
  const Touches<kRows, kPanels, Place> touches(place, starts, first_row, out);
  store_tile(multiply_block<kRows, kPanels>(left, block, touches), starts, first_row, out);
}

}  // namespace unroll::UNROLL_ISA
