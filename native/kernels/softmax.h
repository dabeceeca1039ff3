#pragma once

/// Softmax along rows, and its fusion with cross-entropy. The maximum is subtracted first, so nothing overflows; sums
/// take 16 lanes and one tree, as the contract says.

#include "kernels/elementary.h"
#include "kernels/split.h"
#include "kernels/tile.h"

namespace unroll::UNROLL_ISA {

/// Operations of one element of a softmax row: two passes, one with an exp.
constexpr int64_t kSoftmaxCost = 60;

constexpr float kMinusInfinity = -__builtin_inff();

/// Columns after which a row's 16 sums are added to those so far and start anew: the error stays small in long rows.
constexpr int64_t kSumBlock = 1024;

/// Short rows are worked on four at a time: the trees of their sums are long chains, which then overlap.
constexpr int64_t kShortRow = 256;
constexpr int kShortRows = 4;
static_assert(kShortRow <= kSumBlock);

/// Calls body(column, columns) for every 16 columns of a row; columns < 16 in the last block only.
template <class Body>
UNROLL_INLINE void for_column_blocks(int64_t columns, const Body& body) {
  int64_t c = 0;
  for (; c + kLanes <= columns; c += kLanes) body(c, kLanes);
  if (c < columns) body(c, columns - c);
}

/// Like load_columns, with -infinity, of which exp is 0, in the lanes past the last column.
UNROLL_INLINE Vec load_scores(const float* p, int64_t columns) {
  return columns >= kLanes ? load(p) : load_partial(p, static_cast<int>(columns), kMinusInfinity);
}

/// Of kRows rows: the scaled maximum, and the sum of exp(scale x - maximum); NaN if the row holds NaN or +inf, or only
/// -inf.
template <int kRows>
struct RowSums {
  float maximum[kRows], sum[kRows];
};

template <int kRows>
struct RowLanes {
  Vec row[kRows];
};

/// The largest scaled score in each of the 16 lanes.
template <int kRows>
UNROLL_INLINE RowLanes<kRows> largest_scores(const float* x, int64_t columns, Vec factor) {
  RowLanes<kRows> top;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) top.row[r] = broadcast(kMinusInfinity);
  for_column_blocks(columns, [&](int64_t c, int64_t width) UNROLL_INLINE_LAMBDA {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) top.row[r] = max(top.row[r], load_scores(x + r * columns + c, width) * factor);
  });
  return top;
}

/// The sums of exp(scale x - maximum) of `width` columns, in 16 lanes; rows are `columns` floats apart.
template <int kRows, bool kStore>
UNROLL_INLINE RowLanes<kRows> exponentials_of_block(const float* x, int64_t columns, int64_t width, Vec factor,
                                                    const RowLanes<kRows>& minus_maximum, float* y) {
  RowLanes<kRows> sums;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) sums.row[r] = broadcast(0.0f);
  for_column_blocks(width, [&](int64_t c, int64_t count) UNROLL_INLINE_LAMBDA {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      // Not fused: the same rounded products as in the maximum, so that none of them is above it.
      const Vec scaled = load_scores(x + r * columns + c, count) * factor;
      const Vec e = exp_not_positive(scaled + minus_maximum.row[r]);
      sums.row[r] = sums.row[r] + e;
      if constexpr (kStore) store_columns(y + r * columns + c, e, count);
    }
  });
  return sums;
}

/// `y`, unless kStore is false, receives the exponentials; it may be x. Only single rows may be longer than kSumBlock.
template <int kRows, bool kStore>
UNROLL_INLINE RowSums<kRows> exponentials_of_rows(const float* x, int64_t columns, float scale, float* y) {
  const Vec factor = broadcast(scale);
  RowSums<kRows> result;
  RowLanes<kRows> lanes = largest_scores<kRows>(x, columns, factor), minus_maximum;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    result.maximum[r] = largest(lanes.row[r]);
    minus_maximum.row[r] = broadcast(-result.maximum[r]);
  }
  lanes = exponentials_of_block<kRows, kStore>(x, columns, smaller(kSumBlock, columns), factor, minus_maximum, y);
  if constexpr (kRows == 1) {
    for (int64_t c = kSumBlock; c < columns; c += kSumBlock) {
      lanes.row[0] = lanes.row[0] + exponentials_of_block<1, kStore>(x + c, columns, smaller(kSumBlock, columns - c),
                                                                     factor, minus_maximum, y + c)
                                        .row[0];
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) result.sum[r] = sum(lanes.row[r]);
  return result;
}

/// Calls body.template operator()<kRows>(first_row) for groups of rows, and for the rest one by one, on all threads.
template <class Body>
void for_row_groups(int64_t rows, int64_t columns, Parallel& pool, const Body& body) {
  parallel_ranges(pool, rows, kSoftmaxCost * columns, [&](Range part) {
    int64_t r = part.begin;
    if (columns <= kShortRow) {
      for (; r + kShortRows <= part.end; r += kShortRows) body.template operator()<kShortRows>(r);
    }
    for (; r < part.end; ++r) body.template operator()<1>(r);
  });
}

/// The logarithms of the sums, all in one vector.
template <int kRows>
UNROLL_INLINE void log_of_sums(const RowSums<kRows>& sums, float (&logarithms)[kLanes]) {
  static_assert(kRows <= kLanes);
  store(logarithms, log(load_partial(sums.sum, kRows, 1.0f)));
}

inline void softmax(int64_t rows, int64_t columns, const float* x, float scale, float* y, Parallel& pool) {
  for_row_groups(rows, columns, pool, [&]<int kRows>(int64_t first) {
    const RowSums<kRows> sums =
        exponentials_of_rows<kRows, true>(x + first * columns, columns, scale, y + first * columns);
    for (int r = 0; r < kRows; ++r) {
      float* const row = y + (first + r) * columns;
      const Vec factor = broadcast(1.0f / sums.sum[r]);
      for_column_blocks(columns, [&](int64_t c, int64_t width) UNROLL_INLINE_LAMBDA {
        store_columns(row + c, load_columns(row + c, width) * factor, width);
      });
    }
  });
}

inline void log_softmax(int64_t rows, int64_t columns, const float* x, float scale, float* y, Parallel& pool) {
  for_row_groups(rows, columns, pool, [&]<int kRows>(int64_t first) {
    const RowSums<kRows> sums = exponentials_of_rows<kRows, false>(x + first * columns, columns, scale, nullptr);
    alignas(64) float logarithms[kLanes];
    log_of_sums(sums, logarithms);
    for (int r = 0; r < kRows; ++r) {
      const int64_t row = (first + r) * columns;
      const Vec log_sum = broadcast(logarithms[r]), maximum = broadcast(-sums.maximum[r]);
      for_column_blocks(columns, [&](int64_t c, int64_t width) UNROLL_INLINE_LAMBDA {
        const Vec shifted = load_columns(x + row + c, width) * broadcast(scale) + maximum;
        store_columns(y + row + c, shifted - log_sum, width);
      });
    }
  });
}

inline void softmax_backward(int64_t rows, int64_t columns, const float* y, const float* d_y, float scale, float* d_x,
                             Parallel& pool) {
  parallel_ranges(pool, rows, 6 * columns, [&](Range part) {
    for (int64_t r = part.begin; r < part.end; ++r) {
      const int64_t row = r * columns;
      Vec products = broadcast(0.0f);
      for_column_blocks(columns, [&](int64_t c, int64_t width) UNROLL_INLINE_LAMBDA {
        products = fma(load_columns(y + row + c, width), load_columns(d_y + row + c, width), products);
      });
      const Vec mean = broadcast(sum(products)), factor = broadcast(scale);
      for_column_blocks(columns, [&](int64_t c, int64_t width) UNROLL_INLINE_LAMBDA {
        const Vec centred = load_columns(d_y + row + c, width) - mean;
        store_columns(d_x + row + c, load_columns(y + row + c, width) * factor * centred, width);
      });
    }
  });
}

/// The exponentials are written where the gradient will be, and never again as probabilities: one pass over the logits
/// for the maximum, one for the exponentials, one that turns them into the gradient.
inline void softmax_cross_entropy(int64_t rows, int64_t columns, const float* logits, const int32_t* labels,
                                  float gradient_scale, float* losses, float* d_logits, Parallel& pool) {
  for_row_groups(rows, columns, pool, [&]<int kRows>(int64_t first) {
    const float* const x = logits + first * columns;
    float of_label[kRows];  // before they are overwritten
    for (int r = 0; r < kRows; ++r) of_label[r] = x[r * columns + labels[first + r]];
    const RowSums<kRows> sums = d_logits == nullptr
                                    ? exponentials_of_rows<kRows, false>(x, columns, 1.0f, nullptr)
                                    : exponentials_of_rows<kRows, true>(x, columns, 1.0f, d_logits + first * columns);
    alignas(64) float logarithms[kLanes];
    log_of_sums(sums, logarithms);
    for (int r = 0; r < kRows; ++r) {
      losses[first + r] = logarithms[r] - (of_label[r] - sums.maximum[r]);
      if (d_logits == nullptr) continue;
      float* const row = d_logits + (first + r) * columns;
      const Vec factor = broadcast(gradient_scale / sums.sum[r]);
      row[labels[first + r]] -= sums.sum[r];
      for_column_blocks(columns, [&](int64_t c, int64_t width) UNROLL_INLINE_LAMBDA {
        store_columns(row + c, load_columns(row + c, width) * factor, width);
      });
    }
  });
}

}  // namespace unroll::UNROLL_ISA
