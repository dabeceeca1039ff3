#pragma once

/// What of an operand counts as near: it stays in L2 beside what else is there.

#include <unistd.h>

#include "simd/vec.h"

namespace unroll::UNROLL_ISA {

/// Operands and results of more bytes than this do not stay in L2. Where a core has 2 MiB of it, half; else all of the
/// 512 KiB that the smallest have: a single tile brings in nothing of what is far, for it reads as fast as the hardware
/// prefetches, and a few lines that are missed cost less than to touch all that is there.
inline int64_t near_bytes() {
  constexpr int64_t kLeast = 512 * 1024, kMost = 1024 * 1024;
  static const int64_t bytes = [] {
#if defined(_SC_LEVEL2_CACHE_SIZE)
    return sysconf(_SC_LEVEL2_CACHE_SIZE) >= 2 * kMost ? kMost : kLeast;
#else
    return kLeast;
#endif
  }();
  return bytes;
}

}  // namespace unroll::UNROLL_ISA
