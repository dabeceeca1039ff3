#pragma once

/// What a register tile brings into the caches while it multiplies.

#include <bit>

#include "kernels/tile_operands.h"

namespace unroll::UNROLL_ISA {

/// A place of a tile's outputs, their start values and what is read after it: beyond L2, or for other reasons worth
/// bringing in. What is read after the tile is brought in meanwhile: each step of k touches the next `step` bytes at
/// `next` and `apart` bytes from there, for of a single stream the processor does not fetch enough ahead.
struct Far {
  const float* next;
  int64_t apart, step;
};

/// In L2: to bring in anything would cost more than it saves, except the rows after a tile's own where L1 does not hold
/// them.
struct Near {
  bool brings_rows;
};

/// The places of tiles that follow one another: what is read after them, lines of 16 floats in pieces of `length` that
/// are `stride` floats apart, is shared out among them. Tiles beyond the last piece are given its first lines.
struct FarTiles {
  const float* next;
  int64_t stride;
  uint32_t length, lines;  ///< of a piece, and of a tile
  uint32_t last;           ///< the number of the last piece
  int64_t apart, step;

  UNROLL_INLINE Far at(int64_t tile) const {
    const int64_t line = tile * lines, piece = static_cast<uint32_t>(line) / length;
    if (piece > last) return {next + last * stride, apart, step};
    return {next + piece * stride + (line - piece * length) * kPanel, apart, step};
  }
};

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
class Touches {
 public:
  template <bool kPacked>
  UNROLL_INLINE Touches(Near near, const Left<kPacked>& left, const Start* starts, const Outputs&) : near_(near) {
    if constexpr (kReadsRowsOften<kRows, kPanels>) {
      const int64_t stride = starts[0].stride;
      if (stride == 0) return;
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) __builtin_prefetch(starts[0].data + left.to[r] * stride);
    }
  }
  void touch(int64_t) const {}

  /// Before the 8 steps from k on: of the lines that this tile reads itself in 16, those of the next tile's rows, half
  /// of the rows at a time.
  UNROLL_INLINE void touch_rows(const Left<false>& left, int64_t k) const {
    constexpr int64_t kLine = 16, kHalf = (kRows + 1) / 2;
    static_assert(2 * kStepsAtOnce<kRows, kPanels> == kLine);
    if (!near_.brings_rows) return;
    const Left<false> next = left.below(kRows + (k % kLine == 0 ? 0 : kRows - kHalf));
#pragma GCC unroll 8
    for (int r = 0; r < kHalf; ++r) __builtin_prefetch(next.rows[r] + k / kLine * kLine);
  }
  void touch_rows(const Left<true>&, int64_t) const {}

 private:
  Near near_;
};

/// Beside what is read next, the lines of its start values or, where those are constant, of its outputs: missed by its
/// last instructions, they would hold up the next tile. Few are asked for at once; many, one after the other, lest its
/// own panels wait.
template <int kRows, int kPanels>
class Touches<kRows, kPanels, Far> {
 public:
  template <bool kPacked>
  UNROLL_INLINE Touches(Far far, const Left<kPacked>& left, const Start* starts, const Outputs& out) : far_(far) {
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) {
      const bool constant = starts[p].stride == 0;
      const int64_t stride = constant ? out.stride : starts[p].stride;
      const float* const lines = constant ? out.data + p * kPanel : starts[p].data;
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        if constexpr (kAtOnce) {
          __builtin_prefetch(lines + left.to[r] * stride, 1);
        } else {
          lines_[r * kPanels + p] = lines + left.to[r] * stride;
        }
      }
    }
#pragma GCC unroll 16
    for (int i = kCount; !kAtOnce && i < kLines; ++i) lines_[i] = lines_[i - kCount];
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

}  // namespace unroll::UNROLL_ISA
