#pragma once

/// Pooling over time: one row for every sequence out of all its steps, and the gradient of that.

#include "kernels/block_sums.h"
#include "kernels/segments.h"

namespace unroll::UNROLL_ISA {

/// Up to 16 features of one sequence: where they are in the packed rows, and in the rows of the caller's order.
struct Strip {
  const Steps& steps;
  int64_t sequence, features, column, length;

  int64_t width() const { return features - column; }
  int64_t at(int64_t step) const { return (steps.offsets[step] + sequence) * features + column; }
  int64_t pooled() const { return steps.order[sequence] * features + column; }
};

/// Calls body(strip) for all features of all sequences; the longest come first.
template <class Body>
void for_each_strip(const Steps& steps, int64_t features, Parallel& pool, const Body& body) {
  const int64_t strips = divide_up(features, kLanes);
  const int64_t cost = 4 * kLanes * divide_up(packed_rows(steps), larger(1, steps.sequences));
  parallel_ranges(pool, steps.sequences * strips, cost, [&](Range part) {
    for (int64_t i = part.begin; i < part.end; ++i) {
      const int64_t sequence = i / strips;
      body(Strip{steps, sequence, features, i % strips * kLanes, length_of(steps, sequence)});
    }
  });
}

inline Vec sum_of_strip(const Strip& strip, const float* x) {
  Vec sum[1];
  const auto step = [&](int64_t t, int) UNROLL_INLINE_LAMBDA { return load_columns(x + strip.at(t), strip.width()); };
  sum_in_blocks<1>(strip.length, step, sum);
  return sum[0];
}

/// The largest value; NaN if there is one.
inline Vec largest_of_strip(const Strip& strip, const float* x) {
  if (strip.length == 0) return broadcast(0.0f);
  Vec most = load_columns(x + strip.at(0), strip.width());
  for (int64_t t = 1; t < strip.length; ++t) {
    const Vec v = load_columns(x + strip.at(t), strip.width());
    most = select(most == most, select(v <= most, most, v), most);
  }
  return most;
}

inline void pool_steps(PoolingKind kind, const Steps& steps, int64_t features, const float* x, float* y,
                       Parallel& pool) {
  for_each_strip(steps, features, pool, [&](const Strip& strip) {
    Vec pooled = kind == PoolingKind::kMax ? largest_of_strip(strip, x) : sum_of_strip(strip, x);
    if (kind == PoolingKind::kMean) pooled = pooled / broadcast(static_cast<float>(larger(1, strip.length)));
    store_columns(y + strip.pooled(), pooled, strip.width());
  });
}

/// The first step that holds the largest value has all of its gradient; where that is NaN, the first NaN.
inline void spread_to_largest(const Strip& strip, const float* x, Vec y, Vec d_y, float* d_x) {
  const Vec zero = broadcast(0.0f);
  Vec left = d_y;
  for (int64_t t = 0; t < strip.length; ++t) {
    const Vec v = load_columns(x + strip.at(t), strip.width());
    const Vec here = select(y == y, select(v == y, left, zero), select(v == v, zero, left));
    left = select(y == y, select(v == y, zero, left), select(v == v, left, zero));
    store_columns(d_x + strip.at(t), here, strip.width());
  }
}

inline void pool_steps_backward(PoolingKind kind, const Steps& steps, int64_t features, const float* x, const float* y,
                                const float* d_y, float* d_x, Parallel& pool) {
  for_each_strip(steps, features, pool, [&](const Strip& strip) {
    Vec gradient = load_columns(d_y + strip.pooled(), strip.width());
    if (kind == PoolingKind::kMax) {
      return spread_to_largest(strip, x, load_columns(y + strip.pooled(), strip.width()), gradient, d_x);
    }
    if (kind == PoolingKind::kMean) gradient = gradient / broadcast(static_cast<float>(larger(1, strip.length)));
    for (int64_t t = 0; t < strip.length; ++t) store_columns(d_x + strip.at(t), gradient, strip.width());
  });
}

}  // namespace unroll::UNROLL_ISA
