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

}  // namespace unroll::UNROLL_ISA
