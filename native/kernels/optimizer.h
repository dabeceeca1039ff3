#pragma once

/// A step of all parameters together: their blocks of 4096 elements are one row of work for the threads, so that small
/// parameters cost nothing of their own. One pass for the norm of the gradients if they are clipped, one for the
/// update.

#include "kernels/reduce.h"

namespace unroll::UNROLL_ISA {

/// A block of at most kReduceBlock elements of a parameter.
struct ParameterBlock {
  const ParameterArrays& parameter;
  int64_t begin, end;
  int64_t index;  ///< among the blocks of all parameters
};

inline int64_t blocks_of(const ParameterList& list) {
  int64_t blocks = 0;
  for (int64_t p = 0; p < list.count; ++p) blocks += divide_up(list.parameters[p].size, kReduceBlock);
  return blocks;
}

/// Calls body(block) for the blocks of `part`, ascending.
template <class Body>
UNROLL_INLINE void for_blocks(const ParameterList& list, Range part, const Body& body) {
  int64_t first = 0;
  for (int64_t p = 0; p < list.count && first < part.end; ++p) {
    const int64_t size = list.parameters[p].size, blocks = divide_up(size, kReduceBlock);
    for (int64_t b = larger(part.begin, first); b < smaller(part.end, first + blocks); ++b) {
      const int64_t begin = (b - first) * kReduceBlock;
      body(ParameterBlock{list.parameters[p], begin, smaller(begin + kReduceBlock, size), b});
    }
    first += blocks;
  }
}

/// The norm of all gradients, whose squares are those of their products with `scale`: the sum of each parameter in its
/// blocks, then of all parameters in order.
__attribute__((noinline)) inline double scaled_norm(const ParameterList& list, float scale, Parallel& pool) {
  constexpr int64_t kAtOnce = 1024;
  double total = 0.0, of_parameter = 0.0;
  const int64_t blocks = blocks_of(list);
  for (int64_t first = 0; first < blocks; first += kAtOnce) {
    float sums[kAtOnce];
    const int64_t count = smaller(kAtOnce, blocks - first);
    parallel_ranges(pool, count, 2 * kReduceBlock, [&](Range part) {
      for_blocks(list, {first + part.begin, first + part.end}, [&](const ParameterBlock& block) {
        const float* const gradient = block.parameter.gradient;
        sums[block.index - first] = sum_of_block(block.begin, block.end, [=](int64_t i, int64_t width, Vec lanes) {
          const Vec value = load_columns(gradient + i, width) * broadcast(scale);
          return fma(value, value, lanes);
        });
      });
    });
    for_blocks(list, {first, first + count}, [&](const ParameterBlock& block) {
      if (block.begin == 0) {
        total += of_parameter;
        of_parameter = 0.0;
      }
      of_parameter += static_cast<double>(sums[block.index - first]);
    });
  }
  return __builtin_sqrt(total + of_parameter) / static_cast<double>(scale);
}

/// Gradients beyond 1.8e19 have squares beyond all floats, and are just what clipping is for; those of gradients below
/// 1e-19 are zero.
inline double gradient_norm(const ParameterList& list, Parallel& pool) {
  const double norm = scaled_norm(list, 1.0f, pool);
  if (norm == __builtin_inf()) return scaled_norm(list, 0x1p-80f, pool);
  return norm < 0x1p-60 ? scaled_norm(list, 0x1p80f, pool) : norm;
}

/// What all gradients are multiplied by: the scale without a limit or below it, NaN if one of them is and there is a
/// limit. In two steps, for a factor of exploding gradients may be too small for a float.
struct ScaledGradient {
  Vec first, second;

  ScaledGradient(const ParameterList& list, GradientScaling scaling, Parallel& pool) {
    constexpr double kNormEpsilon = 1e-6;
    double factor = scaling.scale;
    if (scaling.clip_norm != __builtin_inf()) {
      const double clipped = scaling.clip_norm / (gradient_norm(list, pool) * scaling.scale + kNormEpsilon);
      if (!(clipped > 1.0)) factor *= clipped;
    }
    const bool tiny = factor < 0x1p-100;
    first = broadcast(tiny ? 0x1p-80f : 1.0f);
    second = broadcast(static_cast<float>(tiny ? factor * 0x1p80 : factor));
  }
  UNROLL_INLINE Vec operator()(Vec gradient) const { return gradient * first * second; }
};

/// Calls body(parameter, offset, width) for every 16 elements of every parameter, on the threads of the pool; `cost` is
/// the operations of one element.
template <class Body>
void for_elements(const ParameterList& list, Parallel& pool, int64_t cost, const Body& body) {
  parallel_ranges(pool, blocks_of(list), kReduceBlock * cost, [&](Range part) {
    for_blocks(list, part, [&](const ParameterBlock& block) UNROLL_INLINE_LAMBDA {
      const ParameterArrays parameter = block.parameter;
      for (int64_t i = block.begin; i < block.end; i += kLanes) body(parameter, i, smaller(kLanes, block.end - i));
    });
  });
}

inline void sgd_step(const SgdStep& step, const ParameterList& list, Parallel& pool) {
  const ScaledGradient scaled(list, step.scaling, pool);
  const Vec rate = broadcast(-step.learning_rate);
  const Vec decay = broadcast(step.momentum);
  for_elements(list, pool, 8, [=](const ParameterArrays& p, int64_t i, int64_t width) UNROLL_INLINE_LAMBDA {
    Vec update = scaled(load_columns(p.gradient + i, width));
    float* const momentum = p.moments[0];
    if (momentum != nullptr) {
      update = fma(decay, load_columns(momentum + i, width), update);
      store_columns(momentum + i, update, width);
    }
    store_columns(p.weights + i, fma(rate, update, load_columns(p.weights + i, width)), width);
  });
}

inline void adam_step(const AdamStep& step, const ParameterList& list, Parallel& pool) {
  const ScaledGradient scaled(list, step.scaling, pool);
  const Vec rate = broadcast(-step.step_size);
  const Vec beta1 = broadcast(step.beta1), beta2 = broadcast(step.beta2);
  const Vec rest1 = broadcast(step.one_minus_beta1), rest2 = broadcast(step.one_minus_beta2);
  const Vec correction = broadcast(step.variance_correction), epsilon = broadcast(step.epsilon);
  const Vec kept = broadcast(step.kept_weight);
  for_elements(list, pool, 30, [=](const ParameterArrays& p, int64_t i, int64_t width) UNROLL_INLINE_LAMBDA {
    float *const mean = p.moments[0], *const variance = p.moments[1];
    const Vec g = scaled(load_columns(p.gradient + i, width));
    const Vec m = fma(beta1, load_columns(mean + i, width), rest1 * g);
    const Vec v = fma(beta2, load_columns(variance + i, width), rest2 * g * g);
    store_columns(mean + i, m, width);
    store_columns(variance + i, v, width);
    const Vec direction = m / fma(sqrt(v), correction, epsilon);
    store_columns(p.weights + i, fma(rate, direction, load_columns(p.weights + i, width) * kept), width);
  });
}

}  // namespace unroll::UNROLL_ISA
