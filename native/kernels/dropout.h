#pragma once

/// Inverted dropout (Srivastava et al. 2014): an element becomes 0 with probability p, the others grow by 1 / (1 - p).

#include "kernels/random.h"
#include "kernels/segments.h"

namespace unroll::UNROLL_ISA {

/// Which elements are dropped depends on the key, the layer, the caller's index of the sequence, the step and the
/// feature alone.
struct Dropout {
  double probability;
  uint64_t key, layer;
};

/// y = x without what is dropped, for the rows of some sequences and times; y may be x.
inline void drop_elements(const Dropout& dropout, const Steps& steps, Range sequences, Range times, int64_t columns,
                          const float* x, float* y, Parallel& pool) {
  const int64_t blocks = divide_up(columns, 4);
  const float scale = static_cast<float>(1.0 / (1.0 - dropout.probability));
  const auto dropped_below = static_cast<uint64_t>(dropout.probability * 4294967296.0);  // of 2^32
  for_each_row(steps, sequences, times, 20 * columns, pool, [&](int64_t t, int64_t b, int64_t n) {
    const uint64_t purpose = kDropoutPurpose | dropout.layer << 32 | static_cast<uint64_t>(steps.order[b]);
    for (int64_t block = 0; block < blocks; ++block) {
      const PhiloxBlock random = philox(dropout.key, purpose, static_cast<uint64_t>(t * blocks + block));
      for (int64_t j = 4 * block; j < smaller(4 * block + 4, columns); ++j) {
        const int64_t i = n * columns + j;
        y[i] = random.word[j % 4] < dropped_below ? 0.0f : x[i] * scale;
      }
    }
  });
}

inline void dropout(double probability, uint64_t key, const Steps& steps, int64_t features, const float* x, float* y,
                    Parallel& pool) {
  drop_elements({probability, key, 0}, steps, {0, steps.sequences}, {0, steps.count}, features, x, y, pool);
}

}  // namespace unroll::UNROLL_ISA
