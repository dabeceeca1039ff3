#pragma once

/// Inverted dropout (Srivastava et al. 2014): an element becomes 0 with probability p, the others grow by 1 / (1 - p).

#include <bit>

#include "kernels/random.h"
#include "kernels/segments.h"
#include "kernels/tile.h"

namespace unroll::UNROLL_ISA {

/// Which elements are dropped depends on the key, the layer, the caller's index of the sequence, the step and the
/// feature alone.
struct Dropout {
  double probability;
  uint64_t key, layer;
};

/// Some elements of a row without those whose random number is below the bound; y may be x.
inline void drop_where_below(const PhiloxBlocks& random, uint32_t bound, float scale, int64_t size, const float* x,
                             float* y) {
  alignas(64) float dropped[4 * kBlocksAtOnce];  // 1, or 0; by a product, for a branch would be mispredicted
  for (int i = 0; i < kBlocksAtOnce; ++i) {
    for (int word = 0; word < 4; ++word) {
      dropped[4 * i + word] = std::bit_cast<float>((random.word[word][i] < bound) * 0x3f800000u);
    }
  }
  for (int64_t j = 0; j < size; j += kLanes) {
    const Mask is_dropped = broadcast(0.0f) < load(dropped + j);
    const Vec kept = load_columns(x + j, size - j) * broadcast(scale);
    store_columns(y + j, select(is_dropped, broadcast(0.0f), kept), size - j);
  }
}

/// y = x without what is dropped, for the rows of some sequences and times; y may be x.
inline void drop_elements(const Dropout& dropout, const Steps& steps, Range sequences, Range times, int64_t columns,
                          const float* x, float* y, Parallel& pool) {
  constexpr int64_t kAtOnce = 4 * kBlocksAtOnce;
  const uint64_t blocks = static_cast<uint64_t>(divide_up(columns, 4));
  const float scale = static_cast<float>(1.0 / (1.0 - dropout.probability));
  const auto bound = static_cast<uint32_t>(dropout.probability * 4294967296.0);  // of 2^32
  for_each_row(steps, sequences, times, 20 * columns, pool, [&](int64_t t, int64_t b, int64_t n) {
    const uint64_t purpose = kDropoutPurpose | dropout.layer << 32 | static_cast<uint64_t>(steps.order[b]);
    uint64_t counter = static_cast<uint64_t>(t) * blocks;
    for (int64_t j = 0; j < columns; j += kAtOnce, counter += kBlocksAtOnce) {
      const int64_t i = n * columns + j;
      PhiloxBlocks random;
      philox_blocks(dropout.key, purpose, counter, random);
      drop_where_below(random, bound, scale, smaller(kAtOnce, columns - j), x + i, y + i);
    }
  });
}

inline void dropout(double probability, uint64_t key, const Steps& steps, int64_t features, const float* x, float* y,
                    Parallel& pool) {
  drop_elements({probability, key, 0}, steps, {0, steps.sequences}, {0, steps.count}, features, x, y, pool);
}

}  // namespace unroll::UNROLL_ISA
