#pragma once

/// What happens to the states of a layer before they are its outputs: the directions are added if so asked; below the
/// top layer follows dropout.

#include "kernels/copy.h"
#include "kernels/dropout.h"
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

/// The same elements of a layer's outputs and of their gradient.
inline void apply_dropout(const RecurrentCall& call, int64_t layer, Range sequences, Range times, float* x,
                          Parallel& pool) {
  const Dropout dropout{call.dropout, call.dropout_key, static_cast<uint64_t>(layer)};
  drop_elements(dropout, call.steps, sequences, times, output_size(call), x, x, pool);
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
