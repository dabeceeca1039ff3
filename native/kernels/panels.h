#pragma once

/// Panels: a right operand of a product as the tiles read it.

#include "kernels/split.h"
#include "kernels/tile.h"

namespace unroll::UNROLL_ISA {

/// Columns of the right operand that make a panel.
struct PanelColumns {
  int64_t first, width;
};

/// 16 x 4 elements at a time are transposed in registers: a panel of some columns, from rows of the weight.
inline void pack_transposed(const float* w, int64_t ldw, int64_t k_size, PanelColumns columns, float* panel) {
  const float* const rows = w + columns.first * ldw;
  constexpr int64_t kAtOnce = 4;
  const int64_t whole = columns.width == kPanel ? k_size / kAtOnce * kAtOnce : 0;
  for (int64_t k = 0; k < whole; k += kAtOnce) {
    const auto quad = [&](int64_t row) UNROLL_INLINE_LAMBDA { return rows + row * ldw + k; };
    Vec lines[kAtOnce];
#pragma GCC unroll 4
    for (int i = 0; i < kAtOnce; ++i) lines[i] = load_quads(quad(i), quad(4 + i), quad(8 + i), quad(12 + i));
    transpose_quads(lines);
#pragma GCC unroll 4
    for (int i = 0; i < kAtOnce; ++i) store(panel + (k + i) * kPanel, lines[i]);
  }
  for (int64_t k = whole; k < k_size; ++k) {
    for (int64_t j = 0; j < columns.width; ++j) panel[k * kPanel + j] = rows[j * ldw + k];
    for (int64_t j = columns.width; j < kPanel; ++j) panel[k * kPanel + j] = 0.0f;
  }
}

/// Neighbouring panels of columns, from rows of the right operand itself.
inline void pack_plain(const float* w, int64_t ldw, int64_t k_size, const PanelColumns* columns, int64_t count,
                       float* panels) {
  constexpr int64_t kRowsAhead = 8;
  for (int64_t k = 0; k < k_size; ++k) {
    const float* const row = w + k * ldw;
    const float* const ahead = w + smaller(k + kRowsAhead, k_size - 1) * ldw;
    for (int64_t i = 0; i < count; ++i) {
      __builtin_prefetch(ahead + columns[i].first);
      store(panels + (i * k_size + k) * kPanel, load_columns(row + columns[i].first, columns[i].width));
    }
  }
}

/// Panel p, row k, column j: the element (k, 16 p + j) of the right operand; columns past the last are zero.
/// `w` is [columns][k_size] with row stride ldw if `transposed` (a weight [out][in], used forward), else
/// [k_size][columns]. With groups > 1 the columns are that many gates, one after the other in `w`; their panels are
/// interleaved, so that panel u * groups + g holds gate g of the units 16 u .. 16 u + 15.
inline void pack_panels(const float* w, int64_t ldw, int64_t k_size, int64_t columns, int64_t groups, bool transposed,
                        float* panels, Parallel& pool) {
  const int64_t group_columns = columns / groups;
  const auto columns_of = [&](int64_t p) {
    const int64_t in_group = p / groups * kPanel;
    return PanelColumns{p % groups * group_columns + in_group, smaller(kPanel, group_columns - in_group)};
  };
  parallel_ranges(pool, groups * divide_up(group_columns, kPanel), 16 * k_size, [&](Range part) {
    if (transposed) {
      for (int64_t p = part.begin; p < part.end; ++p) {
        pack_transposed(w, ldw, k_size, columns_of(p), panels + p * kPanel * k_size);
      }
      return;
    }
    // Some panels beside each other, for a single one takes only a line of a row, which nothing foresees.
    constexpr int64_t kBeside = 4;
    for (int64_t begin = part.begin; begin < part.end; begin += kBeside) {
      const int64_t count = smaller(kBeside, part.end - begin);
      PanelColumns beside[kBeside];
      for (int64_t i = 0; i < count; ++i) beside[i] = columns_of(begin + i);
      pack_plain(w, ldw, k_size, beside, count, panels + begin * kPanel * k_size);
    }
  });
}

}  // namespace unroll::UNROLL_ISA
