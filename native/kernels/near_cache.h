#pragma once

/// Up to which size an operand counts as near: small enough to stay in L2 beside all else that is in use.

#include <unistd.h>

#include "simd/vec.h"

namespace unroll::UNROLL_ISA {

/// Operands and results of more bytes than this are far: what is read of them is brought in meanwhile, by all tiles but
/// single ones, which read as fast as the hardware prefetches. Half of an L2 of 2 MiB, unless tiles are of one panel,
/// which gain even there from what is brought in; else 512 KiB, all that the smallest have.
inline int64_t near_bytes() {
  constexpr int64_t kLeast = 512 * 1024;
#if defined(_SC_LEVEL2_CACHE_SIZE)
  if constexpr (panels_of_tile(kTileRows) > 1) {
    constexpr int64_t kMost = 1024 * 1024;
    static const int64_t bytes = sysconf(_SC_LEVEL2_CACHE_SIZE) >= 2 * kMost ? kMost : kLeast;
    return bytes;
  }
#endif
  return kLeast;
}

}  // namespace unroll::UNROLL_ISA
