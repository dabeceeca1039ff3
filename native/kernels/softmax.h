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

/// Short rows are worked on four at a time: the trees of their sums are long chains, which then overlap.
constexpr int64_t kShortRow = 256;
constexpr int kShortRows = 4;

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

/// `y`, unless kStore is false, receives the exponentials; it may be x.
template <int kRows, bool kStore>
UNROLL_INLINE RowSums<kRows> exponentials_of_rows(const float* x, int64_t columns, float scale, float* y) {
  const Vec factor = broadcast(scale);
  RowSums<kRows> result;
  Vec lanes[kRows], maximum[kRows];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) lanes[r] = broadcast(kMinusInfinity);
  for_column_blocks(columns, [&](int64_t c, int64_t width) {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) lanes[r] = max(lanes[r], load_scores(x + r * columns + c, width) * factor);
  });
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    result.maximum[r] = largest(lanes[r]);
    maximum[r] = broadcast(-result.maximum[r]);
    lanes[r] = broadcast(0.0f);
  }
  for_column_blocks(columns, [&](int64_t c, int64_t width) {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const Vec e = exp(fma(load_scores(x + r * columns + c, width), factor, maximum[r]));
      lanes[r] = lanes[r] + e;
      if constexpr (kStore) store_columns(y + r * columns + c, e, width);
    }
  });
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) result.sum[r] = sum(lanes[r]);
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

UNROLL_INLINE float scalar_log(float x) {
  alignas(64) float lanes[kLanes];
  store(lanes, log(broadcast(x)));
  return lanes[0];
}

inline void softmax(int64_t rows, int64_t columns, const float* x, float scale, float* y, Parallel& pool) {
  for_row_groups(rows, columns, pool, [&]<int kRows>(int64_t first) {
    const RowSums<kRows> sums =
        exponentials_of_rows<kRows, true>(x + first * columns, columns, scale, y + first * columns);
    for (int r = 0; r < kRows; ++r) {
      float* const row = y + (first + r) * columns;
      const Vec total = broadcast(sums.sum[r]);
      for_column_blocks(columns, [&](int64_t c, int64_t width) {
        store_columns(row + c, load_columns(row + c, width) / total, width);
      });
    }
  });
}

inline void log_softmax(int64_t rows, int64_t columns, const float* x, float scale, float* y, Parallel& pool) {
  for_row_groups(rows, columns, pool, [&]<int kRows>(int64_t first) {
    const RowSums<kRows> sums = exponentials_of_rows<kRows, false>(x + first * columns, columns, scale, nullptr);
    for (int r = 0; r < kRows; ++r) {
      const int64_t row = (first + r) * columns;
      const Vec log_sum = broadcast(scalar_log(sums.sum[r])), maximum = broadcast(-sums.maximum[r]);
      for_column_blocks(columns, [&](int64_t c, int64_t width) {
        const Vec shifted = fma(load_columns(x + row + c, width), broadcast(scale), maximum);
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
      for_column_blocks(columns, [&](int64_t c, int64_t width) {
        products = fma(load_columns(y + row + c, width), load_columns(d_y + row + c, width), products);
      });
      const Vec mean = broadcast(sum(products)), factor = broadcast(scale);
      for_column_blocks(columns, [&](int64_t c, int64_t width) {
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
    for (int r = 0; r < kRows; ++r) {
      losses[first + r] = scalar_log(sums.sum[r]) - (of_label[r] - sums.maximum[r]);
      if (d_logits == nullptr) continue;
      float* const row = d_logits + (first + r) * columns;
      const Vec factor = broadcast(gradient_scale / sums.sum[r]);
      row[labels[first + r]] -= sums.sum[r];
      for_column_blocks(columns, [&](int64_t c, int64_t width) {
        store_columns(row + c, load_columns(row + c, width) * factor, width);
      });
    }
  });
}

}  // namespace unroll::UNROLL_ISA
