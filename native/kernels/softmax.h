#pragma once

/// Softmax along rows, and its fusion with cross-entropy. The maximum is subtracted first, so nothing overflows; sums
/// take 16 lanes and one tree, as the contract says.

#include "kernels/elementary.h"
#include "kernels/split.h"
#include "kernels/tile.h"

namespace unroll::UNROLL_ISA {

/// Operations of one element of a softmax row: two passes with an exp each.
constexpr int64_t kSoftmaxCost = 60;

/// Calls body(column, columns) for every 16 columns of a row; columns < 16 in the last block only.
template <class Body>
UNROLL_INLINE void for_column_blocks(int64_t columns, const Body& body) {
  for (int64_t c = 0; c < columns; c += kLanes) body(c, smaller(kLanes, columns - c));
}

/// Like load_columns, with `fill` in the lanes past the last column.
UNROLL_INLINE Vec load_filled(const float* p, int64_t columns, float fill) {
  if (columns >= kLanes) return load(p);
  alignas(64) float lanes[kLanes];
  store(lanes, broadcast(fill));
  for (int64_t l = 0; l < columns; ++l) lanes[l] = p[l];
  return load(lanes);
}

constexpr float kMinusInfinity = -__builtin_inff();

/// The row's scaled maximum and the sum of exp(scale x - maximum); NaN if the row holds NaN or +inf, or only -inf.
struct RowSum {
  float maximum, sum;
};

/// `y`, unless null, receives the exponentials.
UNROLL_INLINE RowSum exponentials_of_row(const float* x, int64_t columns, float scale, float* y) {
  const Vec factor = broadcast(scale);
  Vec top = broadcast(kMinusInfinity);
  for_column_blocks(
      columns, [&](int64_t c, int64_t width) { top = max(top, load_filled(x + c, width, kMinusInfinity) * factor); });
  const float maximum = largest(top);
  Vec total = broadcast(0.0f);
  for_column_blocks(columns, [&](int64_t c, int64_t width) {
    const Vec e = exp(fma(load_filled(x + c, width, kMinusInfinity), factor, broadcast(-maximum)));
    total = total + e;
    if (y != nullptr) store_columns(y + c, e, width);
  });
  return {maximum, sum(total)};
}

UNROLL_INLINE float scalar_log(float x) {
  alignas(64) float lanes[kLanes];
  store(lanes, log(broadcast(x)));
  return lanes[0];
}

inline void softmax(int64_t rows, int64_t columns, const float* x, float scale, float* y, Parallel& pool) {
  parallel_ranges(pool, rows, kSoftmaxCost * columns, [&](Range part) {
    for (int64_t r = part.begin; r < part.end; ++r) {
      float* row = y + r * columns;
      const Vec total = broadcast(exponentials_of_row(x + r * columns, columns, scale, row).sum);
      for_column_blocks(columns, [&](int64_t c, int64_t width) {
        store_columns(row + c, load_columns(row + c, width) / total, width);
      });
    }
  });
}

inline void log_softmax(int64_t rows, int64_t columns, const float* x, float scale, float* y, Parallel& pool) {
  parallel_ranges(pool, rows, kSoftmaxCost * columns, [&](Range part) {
    for (int64_t r = part.begin; r < part.end; ++r) {
      const RowSum row = exponentials_of_row(x + r * columns, columns, scale, nullptr);
      const Vec log_sum = broadcast(scalar_log(row.sum)), maximum = broadcast(-row.maximum);
      for_column_blocks(columns, [&](int64_t c, int64_t width) {
        const Vec shifted = fma(load_columns(x + r * columns + c, width), broadcast(scale), maximum);
        store_columns(y + r * columns + c, shifted - log_sum, width);
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

inline void softmax_cross_entropy(int64_t rows, int64_t columns, const float* logits, const int32_t* labels,
                                  float gradient_scale, float* losses, float* d_logits, Parallel& pool) {
  parallel_ranges(pool, rows, kSoftmaxCost * columns, [&](Range part) {
    for (int64_t r = part.begin; r < part.end; ++r) {
      const float* x = logits + r * columns;
      const float of_label = x[labels[r]];
      float* d_row = d_logits == nullptr ? nullptr : d_logits + r * columns;
      const RowSum row = exponentials_of_row(x, columns, 1.0f, d_row);
      losses[r] = scalar_log(row.sum) - (of_label - row.maximum);
      if (d_row == nullptr) continue;
      const Vec total = broadcast(row.sum), scale = broadcast(gradient_scale);
      d_row[labels[r]] -= row.sum;
      for_column_blocks(columns, [&](int64_t c, int64_t width) {
        store_columns(d_row + c, load_columns(d_row + c, width) / total * scale, width);
      });
    }
  });
}

}  // namespace unroll::UNROLL_ISA
