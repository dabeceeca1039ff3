#pragma once

/// Sums of many rows, in the order of a product's sums (tile_operands.h): rows to blocks, blocks to groups, groups to
/// the whole.

#include "kernels/tile_operands.h"

namespace unroll::UNROLL_ISA {

/// total[v] = the sum of term(n, v) over n in [0, count).
template <int kVecs, class Term>
UNROLL_INLINE void sum_in_blocks(int64_t count, const Term& term, Vec (&total)[kVecs]) {
  Vec group[kVecs];
#pragma GCC unroll 4
  for (int v = 0; v < kVecs; ++v) total[v] = group[v] = broadcast(0.0f);
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    Vec block[kVecs];
#pragma GCC unroll 4
    for (int v = 0; v < kVecs; ++v) block[v] = broadcast(0.0f);
    for (int64_t n = begin; n < smaller(begin + kBlock, count); ++n) {
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v) block[v] = block[v] + term(n, v);
    }
    const bool ends = (begin + kBlock) % kGroup == 0;
#pragma GCC unroll 4
    for (int v = 0; v < kVecs; ++v) {
      group[v] = group[v] + block[v];
      if (ends) total[v] = total[v] + group[v], group[v] = broadcast(0.0f);
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < kVecs; ++v) total[v] = total[v] + group[v];
}

}  // namespace unroll::UNROLL_ISA
