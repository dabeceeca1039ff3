#pragma once

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a number is a function of key
/// and counter alone, so it depends neither on threads nor on the order of use.

#include "kernels/split.h"

namespace unroll::UNROLL_ISA {

/// Purposes of dropout have this bit; the facade's own purposes are below.
constexpr uint64_t kDropoutPurpose = uint64_t{1} << 63;

struct PhiloxBlock {
  uint32_t word[4];
};

UNROLL_INLINE PhiloxBlock philox(uint64_t key, uint64_t purpose, uint64_t counter) {
  uint32_t c0 = static_cast<uint32_t>(counter), c1 = static_cast<uint32_t>(counter >> 32);
  uint32_t c2 = static_cast<uint32_t>(purpose), c3 = static_cast<uint32_t>(purpose >> 32);
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * c0, p1 = uint64_t{0xCD9E8D57} * c2;
    c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c1 = static_cast<uint32_t>(p1);
    c3 = static_cast<uint32_t>(p0);
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return {{c0, c1, c2, c3}};
}

/// Element i takes 24 bits of word i % 4 of block i / 4.
inline void uniform(uint64_t seed, uint64_t purpose, int64_t first, int64_t size, float low, float high, float* y) {
  for (int64_t i = first; i < first + size; ++i) {
    const PhiloxBlock block = philox(seed, purpose, static_cast<uint64_t>(i) / 4);
    const float unit = static_cast<float>(block.word[i % 4] >> 8) * 0x1p-24f;
    y[i - first] = __builtin_fmaf(high - low, unit, low);
  }
}

}  // namespace unroll::UNROLL_ISA
