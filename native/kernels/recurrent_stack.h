#pragma once

/// A stack of recurrent layers: the forward and the backward pass of each layer and direction, and the weights'
/// gradients.

#include "kernels/cell_passes.h"
#include "kernels/sharing.h"

namespace unroll::UNROLL_ISA {

inline LayerRows rows_of(const CellPasses& cell, const RecurrentCall& call, int64_t layer, int64_t direction,
                         Range sequences) {
  return {call, call.layers[layer * call.directions + direction], direction == 1, cell.gates, sequences};
}

inline LayerInput input_of(const RecurrentCall& call, int64_t layer) {
  const int64_t size = input_size_of(call, layer);
  if (layer == 0) return {call.input, size, call.input_index, call.input_rows};
  return {output_of(call, layer - 1), size, nullptr, 0};
}

inline void run_forward(const CellPasses& cell, const RecurrentCall& call, Parallel& pool) {
  const Sharing sharing = sharing_of(call, cell, pool);
  for (int64_t d = 0; call.input_index != nullptr && d < call.directions; ++d) {
    multiply_table(rows_of(cell, call, 0, d, {0, call.steps.sequences}), input_of(call, 0), pool);
  }
  for_each_layer(call, sharing, pool, [&](int64_t l, Range sequences, Range times, Parallel& threads) {
    for_each_direction(call, sharing, threads, [&](int64_t d, Parallel& of_direction) {
      cell.forward(rows_of(cell, call, l, d, sequences), times, input_of(call, l), sharing.slices, of_direction);
    });
    finish_outputs(call, l, sequences, times, threads);
  });
}

/// Both directions of a layer read the same input: the second adds to the gradient that the first wrote, and where they
/// run beside each other does so after both have ended. That of a table follows when all rows have theirs.
inline void backward_layer(const CellPasses& cell, const RecurrentCall& call, const Sharing& sharing, int64_t l,
                           const RecurrentGradient* gradients, Range sequences, Range times, Parallel& threads) {
  const bool beside = sharing.way == Sharing::kDirections;
  const int64_t inputs = input_size_of(call, l);
  const bool by_index = input_of(call, l).index != nullptr;
  for_each_direction(call, sharing, threads, [&](int64_t d, Parallel& of_direction) {
    cell.backward(rows_of(cell, call, l, d, sequences), times, gradients[d],
                  {inputs, d > 0, !by_index && (d == 0 || !beside)}, sharing.slices, of_direction);
  });
  for (int64_t d = 1; beside && !by_index && d < call.directions; ++d) {
    backward_inputs(rows_of(cell, call, l, d, sequences), times, gradients[d], {inputs, true, true}, threads);
  }
}

inline void run_backward(const CellPasses& cell, const RecurrentCall& call, const RecurrentGradient* gradients,
                         Parallel& pool) {
  const Sharing sharing = sharing_of(call, cell, pool);
  for_each_layer(call, sharing, pool, [&](int64_t index, Range sequences, Range times, Parallel& threads) {
    const int64_t l = call.layer_count - 1 - index, count = call.steps.count;
    const RecurrentGradient* const of_layer = gradients + l * call.directions;
    if (drops(call, l)) {
      apply_dropout(call, l, sequences, {count - times.end, count - times.begin}, of_layer->d_output, threads);
    }
    backward_layer(cell, call, sharing, l, of_layer, sequences, times, threads);
  });
  for (int64_t l = call.layer_count - 1; l >= 0; --l) {
    for (int64_t d = 0; d < call.directions; ++d) {
      cell.add_weight_gradients(rows_of(cell, call, l, d, {0, call.steps.sequences}),
                                gradients[l * call.directions + d], input_of(call, l), pool);
    }
  }
}

}  // namespace unroll::UNROLL_ISA
