#pragma once

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a number is a function of key
/// and counter alone, so it depends neither on threads nor on the order of use.

#include "kernels/split.h"

namespace unroll::UNROLL_ISA {

/// Purposes of dropout have this bit; the facade's own purposes are below.
constexpr uint64_t kDropoutPurpose = uint64_t{1} << 63;

/// A block is four words; those of this many counters, one after the other, are computed side by side.
constexpr int kBlocksAtOnce = 16;
struct PhiloxBlocks {
  alignas(64) uint32_t word[4][kBlocksAtOnce];
};

/// Not inlined, or gcc takes the arrays apart instead of making vectors of them.
[[gnu::noinline]] inline void philox_blocks(uint64_t key, uint64_t purpose, uint64_t first, PhiloxBlocks& blocks) {
  auto& [c0, c1, c2, c3] = blocks.word;
  for (int i = 0; i < kBlocksAtOnce; ++i) {
    const uint64_t counter = first + static_cast<uint64_t>(i);
    c0[i] = static_cast<uint32_t>(counter);
    c1[i] = static_cast<uint32_t>(counter >> 32);
    c2[i] = static_cast<uint32_t>(purpose);
    c3[i] = static_cast<uint32_t>(purpose >> 32);
  }
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
#pragma GCC unroll 1
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < kBlocksAtOnce; ++i) {
      const uint64_t p0 = uint64_t{0xD2511F53} * c0[i], p1 = uint64_t{0xCD9E8D57} * c2[i];
      c0[i] = static_cast<uint32_t>(p1 >> 32) ^ c1[i] ^ k0;
      c2[i] = static_cast<uint32_t>(p0 >> 32) ^ c3[i] ^ k1;
      c1[i] = static_cast<uint32_t>(p1);
      c3[i] = static_cast<uint32_t>(p0);
    }
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
}

/// Element i takes 24 bits of word i % 4 of block i / 4.
inline void uniform(uint64_t seed, uint64_t purpose, int64_t first, int64_t size, float low, float high, float* y) {
  constexpr int64_t kAtOnce = 4 * kBlocksAtOnce;
  PhiloxBlocks blocks;
  for (int64_t begin = first / 4 * 4; begin < first + size; begin += kAtOnce) {
    philox_blocks(seed, purpose, static_cast<uint64_t>(begin) / 4, blocks);
    for (int64_t i = larger(first, begin); i < smaller(first + size, begin + kAtOnce); ++i) {
      const uint32_t word = blocks.word[(i - begin) % 4][(i - begin) / 4];
      y[i - first] = __builtin_fmaf(high - low, static_cast<float>(word >> 8) * 0x1p-24f, low);
    }
  }
}

}  // namespace unroll::UNROLL_ISA
