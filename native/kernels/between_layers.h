#pragma once

/// What happens to the states of a layer before they are its outputs: the directions are added if so asked; below the
/// top layer follows dropout.

#include "kernels/copy.h"
#include "kernels/random.h"
#include "kernels/segments.h"
#include "kernels/tile.h"

namespace unroll::UNROLL_ISA {

/// Features of a layer's output.
inline int64_t output_size(const RecurrentCall& call) {
  return call.summed ? call.state_size : call.directions * call.state_size;
}

inline const RecurrentLayer& first_direction(const RecurrentCall& call, int64_t layer) {
  return call.layers[layer * call.directions];
}

/// Output rows of a layer: a buffer of their own, or in place after the initial states.
inline const float* output_of(const RecurrentCall& call, int64_t layer) {
  const RecurrentLayer& first = first_direction(call, layer);
  if (first.outputs != nullptr) return first.outputs;
  return first.states + call.steps.sequences * call.directions * call.state_size;
}

inline bool drops(const RecurrentCall& call, int64_t layer) {
  return call.dropout > 0.0 && layer + 1 < call.layer_count;
}

/// Inverted dropout (Srivastava et al. 2014), in place: an element becomes 0 with probability p, the others grow by 1 /
/// (1 - p). Which do depends on the key, the layer, the caller's index of the sequence, the step and the feature alone.
/// Applied to the outputs and, with the same mask, to their gradient.
inline void apply_dropout(const RecurrentCall& call, int64_t layer, Range sequences, Range times, float* x,
                          Parallel& pool) {
  const int64_t columns = output_size(call), blocks = divide_up(columns, 4);
  const float scale = static_cast<float>(1.0 / (1.0 - call.dropout));
  const auto dropped_below = static_cast<uint64_t>(call.dropout * 4294967296.0);  // of 2^32
  for_each_row(call.steps, sequences, times, 20 * columns, pool, [&](int64_t t, int64_t b, int64_t n) {
    float* row = x + n * columns;
    const uint64_t purpose =
        kDropoutPurpose | static_cast<uint64_t>(layer) << 32 | static_cast<uint64_t>(call.steps.order[b]);
    for (int64_t block = 0; block < blocks; ++block) {
      const PhiloxBlock random = philox(call.dropout_key, purpose, static_cast<uint64_t>(t * blocks + block));
      for (int64_t j = 4 * block; j < smaller(4 * block + 4, columns); ++j) {
        row[j] = random.word[j % 4] < dropped_below ? 0.0f : row[j] * scale;
      }
    }
  });
}

/// Fills the outputs of some times of a layer that has a buffer for them.
inline void finish_outputs(const RecurrentCall& call, int64_t layer, Range sequences, Range times, Parallel& pool) {
  float* const outputs = first_direction(call, layer).outputs;
  if (outputs == nullptr) return;
  const int64_t columns = output_size(call), state_columns = call.directions * call.state_size;
  const float* states = first_direction(call, layer).states + call.steps.sequences * state_columns;
  for_each_row(call.steps, sequences, times, 2 * columns, pool, [&](int64_t, int64_t, int64_t n) {
    const float* state = states + n * state_columns;
    float* output = outputs + n * columns;
    copy_floats(state, output, columns);
    if (!call.summed) return;
    for (int64_t j = 0; j < columns; ++j) output[j] += state[columns + j];
  });
  if (drops(call, layer)) apply_dropout(call, layer, sequences, times, outputs, pool);
}

}  // namespace unroll::UNROLL_ISA
