#pragma once

/// The passes of one layer and direction, compiled for every cell; what goes through a stack of layers knows a cell
/// only by them.

#include "kernels/backward_pass.h"
#include "kernels/forward_pass.h"
#include "kernels/weight_gradients.h"

namespace unroll::UNROLL_ISA {

struct CellPasses {
  int64_t gates, phases;
  void (*forward)(const LayerRows& rows, Range times, const LayerInput& input, int64_t slices, Parallel& pool);
  void (*backward)(const LayerRows& rows, Range times, const RecurrentGradient& gradient, InputGradient of_input,
                   int64_t slices, Parallel& pool);
  void (*add_weight_gradients)(const LayerRows& rows, const RecurrentGradient& gradient, const LayerInput& input,
                               Parallel& pool);
};

template <class Cell>
constexpr CellPasses kPassesOf = {
    Cell::kGates, Cell::kPhases,
    [](const LayerRows& rows, Range times, const LayerInput& input, int64_t slices, Parallel& pool) {
      ForwardPass<Cell>{rows}.run(times, input, slices, pool);
    },
    [](const LayerRows& rows, Range times, const RecurrentGradient& gradient, InputGradient of_input, int64_t slices,
       Parallel& pool) { BackwardPass<Cell>{rows}.run(times, gradient, of_input, slices, pool); },
    [](const LayerRows& rows, const RecurrentGradient& gradient, const LayerInput& input, Parallel& pool) {
      WeightGradients<Cell>{rows, gradient, pool}.add(input);
    }};

}  // namespace unroll::UNROLL_ISA
