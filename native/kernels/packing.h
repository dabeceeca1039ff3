#pragma once

/// Moves one sequence between the caller's order (its steps one after the other) and the packed rows of a batch (step
/// by step, all sequences of a step together).

#include "kernels/copy.h"
#include "kernels/kernels.h"
#include "kernels/split.h"

namespace unroll::UNROLL_ISA {

inline void pack_sequence(const int32_t* offsets, int64_t sequence, int64_t length, int64_t features,
                          const float* sequence_rows, float* packed) {
  for (int64_t t = 0; t < length; ++t) {
    copy_floats(sequence_rows + t * features, packed + (offsets[t] + sequence) * features, features);
  }
}

inline void unpack_sequence(const int32_t* offsets, int64_t sequence, int64_t length, int64_t features,
                            const float* packed, float* sequence_rows) {
  for (int64_t t = 0; t < length; ++t) {
    copy_floats(packed + (offsets[t] + sequence) * features, sequence_rows + t * features, features);
  }
}

inline void gather_rows(int64_t rows, int64_t features, const int32_t* index, const float* from, float* to,
                        Parallel& pool) {
  parallel_ranges(pool, rows, features, [&](Range part) {
    for (int64_t r = part.begin; r < part.end; ++r)
      copy_floats(from + index[r] * features, to + r * features, features);
  });
}

inline void scatter_add_rows(int64_t rows, int64_t features, const int32_t* index, const float* from, float* to) {
  for (int64_t r = 0; r < rows; ++r) {
    float* row = to + index[r] * features;
    for (int64_t j = 0; j < features; ++j) row[j] += from[r * features + j];
  }
}

}  // namespace unroll::UNROLL_ISA
