#pragma once

/// Sums over the rows of a batch, in any order of the rows.

#include "kernels/split.h"
#include "kernels/tile.h"

namespace unroll::UNROLL_ISA {

/// The rows of a matrix that a sum takes, in its order: those that `index` names, or all in theirs.
struct Rows {
  const float* data;
  int64_t stride;
  const int32_t* index;

  UNROLL_INLINE const float* row(int64_t n) const { return data + (index == nullptr ? n : index[n]) * stride; }
};

/// Rows of a sum are fetched so many ahead: the processor foresees what follows in a row, not where the next begins.
constexpr int64_t kSummedAhead = 16;

inline void fetch_row(const Rows& rows, int64_t n, Range columns) {
  const float* const row = rows.row(n);
  for (int64_t i = columns.begin; i < columns.end; i += kPanel) __builtin_prefetch(row + i);
}

/// Arrays of sums to which the same columns are added; may be null.
struct SumsOfColumns {
  float* arrays[2];

  SumsOfColumns from(int64_t column) const {
    return {{arrays[0] == nullptr ? nullptr : arrays[0] + column, arrays[1] == nullptr ? nullptr : arrays[1] + column}};
  }

  bool wanted() const { return arrays[0] != nullptr || arrays[1] != nullptr; }

  UNROLL_INLINE void add(int64_t column, Vec sum, int64_t width) const {
    for (float* const sums : arrays) {
      if (sums == nullptr) continue;
      store_columns(sums + column, load_columns(sums + column, width) + sum, width);
    }
  }
};

/// sums[j] += the sum over rows of term(row, first column, columns, lane), which adds a row's 16 columns to a lane:
/// lane l takes rows l, l + 16, ...; then the tree of sum() over the 16 lanes. Some panels are summed side by side, row
/// by row: so whole pieces of rows are read, and the lanes stay in L1. Of `a`, which the terms read, rows are fetched
/// ahead.
template <class Term>
void sum_columns(int64_t rows, int64_t columns, const Rows& a, const SumsOfColumns& sums, Parallel& pool,
                 const Term& term) {
  constexpr int64_t kBeside = 16;
  parallel_ranges(pool, divide_up(columns, kPanel * kBeside), 2 * kPanel * kBeside * rows, [&](Range part) {
    for (int64_t group = part.begin; group < part.end; ++group) {
      const int64_t first = group * kBeside * kPanel, panels = smaller(kBeside, divide_up(columns - first, kPanel));
      alignas(64) float lanes[kLanes][kBeside][kPanel] = {};
      for (int64_t n = 0; n < rows; ++n) {
        fetch_row(a, smaller(n + kSummedAhead, rows - 1), {first, first + panels * kPanel});
        for (int64_t p = 0; p < panels; ++p) {
          const int64_t column = first + p * kPanel;
          float* const lane = lanes[n % kLanes][p];
          store(lane, term(n, column, columns - column, load(lane)));
        }
      }
      for (int64_t p = 0; p < panels; ++p) {
        const int64_t column = first + p * kPanel;
        for (int half = kLanes / 2; half > 0; half /= 2) {
          for (int l = 0; l < half; ++l) store(lanes[l][p], load(lanes[l][p]) + load(lanes[l + half][p]));
        }
        sums.add(column, load(lanes[0][p]), columns - column);
      }
    }
  });
}

/// sums[j] += sum over n of a[n][j].
__attribute__((noinline)) inline void add_column_sums(int64_t rows, int64_t columns, const Rows& a,
                                                      const SumsOfColumns& sums, Parallel& pool) {
  if (!sums.wanted()) return;
  sum_columns(rows, columns, a, sums, pool, [&](int64_t n, int64_t first, int64_t width, Vec lane) {
    return lane + load_columns(a.row(n) + first, width);
  });
}

/// sums[j] += sum over n of a[n][j] * b[n][j].
__attribute__((noinline)) inline void column_products(int64_t rows, int64_t columns, const Rows& a, const Rows& b,
                                                      float* sums, Parallel& pool) {
  sum_columns(rows, columns, a, {{sums, nullptr}}, pool, [=](int64_t n, int64_t first, int64_t width, Vec lane) {
    return fma(load_columns(a.row(n) + first, width), load_columns(b.row(n) + first, width), lane);
  });
}

}  // namespace unroll::UNROLL_ISA
