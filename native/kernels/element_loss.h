#pragma once

/// Losses that compare every element with a target of its own: their sums along rows, and the gradients.

#include "kernels/elementary.h"
#include "kernels/reduce.h"

namespace unroll::UNROLL_ISA {

/// What 16 elements cost, and the derivatives by x.
struct Cost {
  Vec loss, derivative;
};

/// A call for 16 elements, so that there is one loop for all losses; delta is Huber's.
using CostOf = Cost (*)(Vec x, Vec target, float delta);

inline Cost squared(Vec x, Vec target, float) {
  const Vec d = x - target;
  return {d * d, d + d};
}

inline Cost absolute(Vec x, Vec target, float) {
  const Vec d = x - target, zero = broadcast(0.0f);
  const Vec sign = select(d == zero, zero, with_sign(broadcast(1.0f), d));
  return {abs(d), select(d == d, sign, d)};
}

/// P. J. Huber, "Robust estimation of a location parameter", 1964: d^2 / 2 up to |d| = delta, and linear from there.
inline Cost huber(Vec x, Vec target, float delta) {
  const Vec d = x - target, half = broadcast(0.5f), limit = broadcast(delta);
  const Mask far = limit < abs(d);
  return {select(far, limit * (abs(d) - half * limit), half * d * d), select(far, with_sign(limit, d), d)};
}

/// -t log sigmoid(x) - (1 - t) log(1 - sigmoid(x)) = log(1 + e^-|x|) + |x| w, w = 1 - t, or t for x < 0; the derivative
/// is w - sigmoid(-|x|), or for x < 0 the opposite. So neither cancels for a target of 0 or 1, and w = 0 costs nothing
/// for infinity.
inline Cost binary_cross_entropy(Vec x, Vec target, float) {
  const Vec zero = broadcast(0.0f), less = softplus(-abs(x)), s = sigmoid(-abs(x));
  const Mask negative = x < zero;
  const Vec wrong = select(negative, target, broadcast(1.0f) - target);
  return {select(wrong == zero, less, fma(abs(x), wrong, less)), select(negative, s - wrong, wrong - s)};
}

/// In the order of ElementLossKind.
constexpr CostOf kCosts[] = {squared, absolute, huber, binary_cross_entropy};

alignas(64) constexpr float kLaneNumbers[kLanes] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

struct LossWeights {
  const float* at;
  int64_t columns;  ///< 1 if each is that of a row

  /// 0 in the lanes past the width.
  UNROLL_INLINE Vec load(int64_t row, int64_t column, int64_t width) const {
    if (at != nullptr && columns != 1) return load_columns(at + row * columns + column, width);
    const Vec weight = broadcast(at == nullptr ? 1.0f : at[row]);
    const Mask within = unroll::UNROLL_ISA::load(kLaneNumbers) < broadcast(static_cast<float>(width));
    return select(within, weight, broadcast(0.0f));
  }
};

/// Elements of weight 0 count nothing, whatever they hold.
inline void element_loss(ElementLoss loss, int64_t rows, int64_t columns, const float* x, const float* target,
                         const float* weights, int64_t weight_columns, float gradient_scale, float* losses, float* d_x,
                         Parallel& pool) {
  const CostOf cost_of = kCosts[static_cast<int64_t>(loss.kind)];
  const LossWeights weight_of{weights, weight_columns};
  parallel_ranges(pool, rows, 8 * columns, [=](Range part) {
    for (int64_t r = part.begin; r < part.end; ++r) {
      losses[r] = sum_of_row(columns, [&](int64_t c, int64_t width, Vec lanes) {
        const int64_t i = r * columns + c;
        const Vec weight = weight_of.load(r, c, width), zero = broadcast(0.0f);
        const Mask left_out = weight == zero;
        const Cost cost = cost_of(load_columns(x + i, width), load_columns(target + i, width), loss.delta);
        if (d_x != nullptr) {
          const Vec derivative = select(left_out, zero, cost.derivative);
          store_columns(d_x + i, derivative * (broadcast(gradient_scale) * weight), width);
        }
        return fma(weight, select(left_out, zero, cost.loss), lanes);
      });
    }
  });
}

/// y[r] = the sum of row r.
inline void row_sums(int64_t rows, int64_t columns, const float* x, float* y, Parallel& pool) {
  parallel_ranges(pool, rows, columns, [=](Range part) {
    for (int64_t r = part.begin; r < part.end; ++r) {
      y[r] = sum_of_row(columns, [&](int64_t c, int64_t width, Vec lanes)
                                     UNROLL_INLINE_LAMBDA { return lanes + load_columns(x + r * columns + c, width); });
    }
  });
}

}  // namespace unroll::UNROLL_ISA
