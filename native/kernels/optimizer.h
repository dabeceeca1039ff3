#pragma once

/// One pass over a parameter: clipping factor, moments and update fused.

#include "kernels/split.h"
#include "kernels/tile.h"

namespace unroll::UNROLL_ISA {

/// Calls body(offset, columns) for every 16 elements of an array, on the threads of the pool.
template <class Body>
void for_elements(Parallel& pool, int64_t size, int64_t cost, const Body& body) {
  parallel_ranges(pool, divide_up(size, kLanes), kLanes * cost, [&](Range part) {
    for (int64_t block = part.begin; block < part.end; ++block)
      body(block * kLanes, smaller(kLanes, size - block * kLanes));
  });
}

inline void sgd_step(const SgdStep& step, int64_t size, const float* gradient, float* momentum, float* weights,
                     Parallel& pool) {
  const Vec scale = broadcast(step.gradient_scale), rate = broadcast(-step.learning_rate);
  const Vec decay = broadcast(step.momentum);
  for_elements(pool, size, 8, [&](int64_t i, int64_t width) {
    Vec update = load_columns(gradient + i, width) * scale;
    if (momentum != nullptr) {
      update = fma(decay, load_columns(momentum + i, width), update);
      store_columns(momentum + i, update, width);
    }
    store_columns(weights + i, fma(rate, update, load_columns(weights + i, width)), width);
  });
}

inline void adam_step(const AdamStep& step, int64_t size, const float* gradient, float* mean, float* variance,
                      float* weights, Parallel& pool) {
  const Vec scale = broadcast(step.gradient_scale), rate = broadcast(-step.step_size);
  const Vec beta1 = broadcast(step.beta1), beta2 = broadcast(step.beta2);
  const Vec rest1 = broadcast(step.one_minus_beta1), rest2 = broadcast(step.one_minus_beta2);
  const Vec correction = broadcast(step.variance_correction), epsilon = broadcast(step.epsilon);
  for_elements(pool, size, 30, [&](int64_t i, int64_t width) {
    const Vec g = load_columns(gradient + i, width) * scale;
    const Vec m = fma(beta1, load_columns(mean + i, width), rest1 * g);
    const Vec v = fma(beta2, load_columns(variance + i, width), rest2 * g * g);
    store_columns(mean + i, m, width);
    store_columns(variance + i, v, width);
    const Vec direction = m / fma(sqrt(v), correction, epsilon);
    store_columns(weights + i, fma(rate, direction, load_columns(weights + i, width)), width);
  });
}

}  // namespace unroll::UNROLL_ISA
