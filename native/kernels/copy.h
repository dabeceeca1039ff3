#pragma once

/// Copying and clearing floats, and when a result is written past the caches.

#include "kernels/split.h"

namespace unroll::UNROLL_ISA {

UNROLL_INLINE void copy_floats(const float* from, float* to, int64_t size) {
  for (int64_t i = 0; i < size; ++i) to[i] = from[i];
}

UNROLL_INLINE void clear_floats(float* to, int64_t size) {
  for (int64_t i = 0; i < size; ++i) to[i] = 0.0f;
}

/// Bytes of a result that is written past the caches: a core's share of L3 does not hold more beside what it is
/// computed from, and each line of it would come from memory before it is written.
constexpr int64_t kPastCaches = 6 << 20;

UNROLL_INLINE bool goes_past_caches(int64_t floats) {
  return kStreams && floats > kPastCaches / static_cast<int64_t>(sizeof(float));
}

/// Floats from p to the next address that stream() takes.
UNROLL_INLINE int64_t floats_to_line(const float* p) {
  return static_cast<int64_t>(-(reinterpret_cast<uintptr_t>(p) / sizeof(float)) % kLanes);
}

inline void copy_columns(int64_t rows, int64_t columns, const float* x, int64_t ldx, float* y, int64_t ldy,
                         Parallel& pool) {
  parallel_ranges(pool, rows, 2 * columns, [&](Range part) {
    for (int64_t r = part.begin; r < part.end; ++r) copy_floats(x + r * ldx, y + r * ldy, columns);
  });
}

}  // namespace unroll::UNROLL_ISA
