#pragma once

/// Elementary functions over arrays, activations with their gradients, and sums of arrays.

#include "kernels/elementary.h"
#include "kernels/rnn_cell.h"
#include "kernels/split.h"
#include "kernels/tile.h"

namespace unroll::UNROLL_ISA {

/// Calls body.template operator()<vectors>(i, width) for every 16 elements of [0, size), kVectors times 16 at once,
/// shared among the threads; width < 16 in the last block only. `body` is copied, so that what it holds by value stays
/// in registers while it writes to its arrays.
template <int kVectors, class Body>
void for_element_blocks(int64_t size, Parallel& pool, const Body& body) {
  parallel_ranges(pool, divide_up(size, kLanes), kLanes * 20, [&](Range part) {
    const Body copy = body;
    const int64_t end = smaller(part.end * kLanes, size);
    int64_t i = part.begin * kLanes;
    if constexpr (kVectors > 1) {
      for (; i + kVectors * kLanes <= end; i += kVectors * kLanes) copy.template operator()<kVectors>(i, kLanes);
    }
    for (; i + kLanes <= end; i += kLanes) copy.template operator()<1>(i, kLanes);
    if (i < end) copy.template operator()<1>(i, end - i);
  });
}

template <class Function>
void map_elements(const float* x, float* y, int64_t size, Parallel& pool, const Function& function) {
  for_element_blocks<kFunctionsAtOnce>(size, pool, [=]<int kVectors>(int64_t i, int64_t width) UNROLL_INLINE_LAMBDA {
    Vec v[kVectors];
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) v[j] = load_columns(x + i + j * kLanes, width);
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) v[j] = function(v[j]);
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) store_columns(y + i + j * kLanes, v[j], width);
  });
}

/// The function of a block some of whose arguments near() is not for.
template <class Function>
__attribute__((noinline)) void map_far(const float* x, float* y, int64_t vectors, int64_t width) {
  for (int64_t i = 0; i < vectors * kLanes; i += kLanes) {
    store_columns(y + i, Function::apply(load_columns(x + i, width)), width);
  }
}

/// Maps a function by its near(), which is shorter than apply(), where the arguments of vectors that are computed
/// together allow it; NaN does.
template <class Function>
void map_near(const float* x, float* y, int64_t size, Parallel& pool) {
  for_element_blocks<kFunctionsAtOnce>(size, pool, [=]<int kVectors>(int64_t i, int64_t width) UNROLL_INLINE_LAMBDA {
    Vec v[kVectors];
    Vec most = broadcast(0.0f);
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      v[j] = load_columns(x + i + j * kLanes, width);
      if constexpr (Function::kMost < kInfinity) most = max(abs(v[j]), most);
    }
    if (Function::kMost < kInfinity && any(broadcast(Function::kMost) < most)) [[unlikely]] {
      return map_far<Function>(x + i, y + i, kVectors, width);
    }
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) v[j] = Function::near(v[j]);
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) store_columns(y + i + j * kLanes, v[j], width);
  });
}

/// The same for a function of two halves, which many vectors then take one after the other: a vector's whole chain of
/// operations is longer than what the processor keeps in hand, half of it is not.
template <class Function>
void map_halves(const float* x, float* y, int64_t size, Parallel& pool) {
  if constexpr (kHalvesAtOnce == 1) {
    map_near<Function>(x, y, size, pool);
  } else {
    for_element_blocks<kHalvesAtOnce>(size, pool, [=]<int kVectors>(int64_t i, int64_t width) UNROLL_INLINE_LAMBDA {
      const auto argument = [&](int j) UNROLL_INLINE_LAMBDA { return load_columns(x + i + j * kLanes, width); };
      const auto store_value = [&](int j, Vec v) UNROLL_INLINE_LAMBDA { store_columns(y + i + j * kLanes, v, width); };
      constexpr bool kHasFar = Function::kMost < kInfinity;
      Halfway half[kVectors];
      Vec most = broadcast(0.0f);
#pragma GCC unroll 1
      for (int j = 0; j < kVectors; ++j) {
        const Vec v = argument(j);
        if constexpr (kHasFar) most = max(abs(v), most);  // NaN leaves it as it is
        half[j] = Function::begin(v);
      }
      if (kHasFar && any(broadcast(Function::kMost) < most)) [[unlikely]] {
        return map_far<Function>(x + i, y + i, kVectors, width);
      }
#pragma GCC unroll 1
      for (int j = 0; j < kVectors; ++j) store_value(j, Function::end(half[j], argument(j)));
    });
  }
}

inline void map_exp(const float* x, float* y, int64_t size, Parallel& pool) { map_near<Exp>(x, y, size, pool); }
inline void map_log(const float* x, float* y, int64_t size, Parallel& pool) {
  map_elements(x, y, size, pool, [](Vec v) UNROLL_INLINE_LAMBDA { return log(v); });
}
inline void map_tanh(const float* x, float* y, int64_t size, Parallel& pool) { map_halves<Tanh>(x, y, size, pool); }
inline void map_sigmoid(const float* x, float* y, int64_t size, Parallel& pool) {
  map_halves<Sigmoid>(x, y, size, pool);
}
inline void map_softplus(const float* x, float* y, int64_t size, Parallel& pool) {
  map_elements(x, y, size, pool, [](Vec v) UNROLL_INLINE_LAMBDA { return softplus(v); });
}

inline void activation(ActivationKind kind, const float* x, float* y, int64_t size, Parallel& pool) {
  switch (kind) {
    case ActivationKind::kRelu:  // the sum flushes a denormal, which max of some instruction sets keeps
      return map_elements(x, y, size, pool,
                          [](Vec v) UNROLL_INLINE_LAMBDA { return ReluActivation::apply(v) + broadcast(0.0f); });
    case ActivationKind::kTanh:
      return map_tanh(x, y, size, pool);
    case ActivationKind::kSigmoid:
      return map_sigmoid(x, y, size, pool);
    case ActivationKind::kSoftplus:
      return map_softplus(x, y, size, pool);
    case ActivationKind::kExp:
      return map_exp(x, y, size, pool);
    case ActivationKind::kLog:
      return map_log(x, y, size, pool);
  }
}

/// d_x = gradient(y, d_y), the derivative being a function of the value.
template <class Gradient>
void map_gradient(const float* y, const float* d_y, float* d_x, int64_t size, Parallel& pool,
                  const Gradient& gradient) {
  for_element_blocks<1>(size, pool, [=]<int>(int64_t i, int64_t width) UNROLL_INLINE_LAMBDA {
    store_columns(d_x + i, gradient(load_columns(y + i, width), load_columns(d_y + i, width)), width);
  });
}

inline void activation_backward(ActivationKind kind, const float* y, const float* d_y, float* d_x, int64_t size,
                                Parallel& pool) {
  switch (kind) {
    case ActivationKind::kRelu:
      return map_gradient(y, d_y, d_x, size, pool,
                          [](Vec v, Vec d) UNROLL_INLINE_LAMBDA { return ReluActivation::gradient(v, d); });
    case ActivationKind::kTanh:
      return map_gradient(y, d_y, d_x, size, pool,
                          [](Vec v, Vec d) UNROLL_INLINE_LAMBDA { return d * tanh_derivative(v); });
    case ActivationKind::kSigmoid:
      return map_gradient(y, d_y, d_x, size, pool,
                          [](Vec v, Vec d) UNROLL_INLINE_LAMBDA { return d * sigmoid_derivative(v); });
    case ActivationKind::kSoftplus:  // sigmoid(x) = 1 - e^-y
      return map_gradient(y, d_y, d_x, size, pool,
                          [](Vec v, Vec d) UNROLL_INLINE_LAMBDA { return d * one_minus_exp(v); });
    case ActivationKind::kExp:
      return map_gradient(y, d_y, d_x, size, pool, [](Vec v, Vec d) UNROLL_INLINE_LAMBDA { return d * v; });
    case ActivationKind::kLog:  // 1 / x = e^-y
      return map_gradient(y, d_y, d_x, size, pool, [](Vec v, Vec d) UNROLL_INLINE_LAMBDA { return d * exp(-v); });
  }
}

/// One rounding each: the product with what is added, whose -0 leaves even the sign of zeros.
inline void scaled_sum(const float* x, float factor, const float* z, float* y, int64_t size, Parallel& pool) {
  for_element_blocks<1>(size, pool, [=]<int>(int64_t i, int64_t width) UNROLL_INLINE_LAMBDA {
    const Vec added = z == nullptr ? broadcast(-0.0f) : load_columns(z + i, width);
    store_columns(y + i, fma(broadcast(factor), load_columns(x + i, width), added), width);
  });
}

inline void product(const float* a, const float* b, float* y, int64_t size, Parallel& pool) {
  for_element_blocks<1>(size, pool, [=]<int>(int64_t i, int64_t width) UNROLL_INLINE_LAMBDA {
    store_columns(y + i, load_columns(a + i, width) * load_columns(b + i, width), width);
  });
}

}  // namespace unroll::UNROLL_ISA
