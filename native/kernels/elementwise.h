#pragma once

/// Elementary functions over arrays.

#include "kernels/elementary.h"
#include "kernels/split.h"
#include "kernels/tile.h"

namespace unroll::UNROLL_ISA {

template <class Function>
void map_elements(const float* x, float* y, int64_t size, Parallel& pool, const Function& function) {
  parallel_ranges(pool, divide_up(size, kLanes), kLanes * 20, [&](Range part) {
    for (int64_t i = part.begin * kLanes; i < smaller(part.end * kLanes, size); i += kLanes) {
      store_columns(y + i, function(load_columns(x + i, size - i)), size - i);
    }
  });
}

inline void map_exp(const float* x, float* y, int64_t size, Parallel& pool) {
  map_elements(x, y, size, pool, [](Vec v) { return exp(v); });
}
inline void map_log(const float* x, float* y, int64_t size, Parallel& pool) {
  map_elements(x, y, size, pool, [](Vec v) { return log(v); });
}
inline void map_tanh(const float* x, float* y, int64_t size, Parallel& pool) {
  map_elements(x, y, size, pool, [](Vec v) { return tanh(v); });
}
inline void map_sigmoid(const float* x, float* y, int64_t size, Parallel& pool) {
  map_elements(x, y, size, pool, [](Vec v) { return sigmoid(v); });
}

}  // namespace unroll::UNROLL_ISA
