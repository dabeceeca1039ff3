#pragma once

/// Sums over whole arrays, in an order that depends on nothing but the length: blocks of 4096 elements in float, 16
/// lanes and the tree; their sums in double, ascending.

#include "kernels/split.h"
#include "kernels/tile.h"

namespace unroll::UNROLL_ISA {

constexpr int64_t kReduceBlock = 4096;

template <class Term>
double reduce(int64_t size, Parallel& pool, const Term& term) {
  constexpr int64_t kAtOnce = 256;
  double total = 0.0;
  const int64_t blocks = divide_up(size, kReduceBlock);
  for (int64_t first = 0; first < blocks; first += kAtOnce) {
    float sums[kAtOnce];
    const int64_t count = smaller(kAtOnce, blocks - first);
    parallel_ranges(pool, count, 2 * kReduceBlock, [&](Range part) {
      for (int64_t b = part.begin; b < part.end; ++b) {
        const int64_t begin = (first + b) * kReduceBlock, end = smaller(begin + kReduceBlock, size);
        Vec lanes = broadcast(0.0f);
        for (int64_t i = begin; i < end; i += kLanes) lanes = term(i, smaller(kLanes, end - i), lanes);
        sums[b] = sum(lanes);
      }
    });
    for (int64_t b = 0; b < count; ++b) total += static_cast<double>(sums[b]);
  }
  return total;
}

inline double array_sum(const float* x, int64_t size, Parallel& pool) {
  return reduce(size, pool, [x](int64_t i, int64_t width, Vec lanes) { return lanes + load_columns(x + i, width); });
}

inline double sum_of_squares(const float* x, int64_t size, Parallel& pool) {
  return reduce(size, pool, [x](int64_t i, int64_t width, Vec lanes) {
    const Vec value = load_columns(x + i, width);
    return fma(value, value, lanes);
  });
}

/// The sum of (x - target)^2; unless d_x is null it receives gradient_scale * (x - target).
inline double squared_error(const float* x, const float* target, float gradient_scale, float* d_x, int64_t size,
                            Parallel& pool) {
  return reduce(size, pool, [=](int64_t i, int64_t width, Vec lanes) {
    const Vec difference = load_columns(x + i, width) - load_columns(target + i, width);
    if (d_x != nullptr) store_columns(d_x + i, difference * broadcast(gradient_scale), width);
    return fma(difference, difference, lanes);
  });
}

}  // namespace unroll::UNROLL_ISA
