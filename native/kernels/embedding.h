#pragma once

/// Embedding look-up: a one-hot input is an index, so its product with the weights is a row of them.

#include "kernels/split.h"
#include "kernels/tile.h"

namespace unroll::UNROLL_ISA {

inline void embedding_forward(int64_t rows, int64_t size, const int32_t* tokens, const float* table, float* y,
                              Parallel& pool) {
  parallel_ranges(pool, rows, size, [&](Range part) {
    for (int64_t r = part.begin; r < part.end; ++r) {
      const float* from = table + static_cast<int64_t>(tokens[r]) * size;
      for (int64_t j = 0; j < size; ++j) y[r * size + j] = from[j];
    }
  });
}

/// Each element of the gradient sums its rows in one order, so threads divide the columns.
inline void embedding_backward(int64_t rows, int64_t size, const int32_t* tokens, const float* d_y,
                               const int32_t* index, float* d_table, Parallel& pool) {
  parallel_ranges(pool, divide_up(size, kPanel), 2 * kPanel * rows, [&](Range part) {
    for (int64_t n = 0; n < rows; ++n) {
      const int64_t r = index == nullptr ? n : index[n];
      float* to = d_table + static_cast<int64_t>(tokens[r]) * size;
      for (int64_t j = part.begin * kPanel; j < smaller(part.end * kPanel, size); j += kPanel) {
        store_columns(to + j, load_columns(to + j, size - j) + load_columns(d_y + r * size + j, size - j), size - j);
      }
    }
  });
}

}  // namespace unroll::UNROLL_ISA
