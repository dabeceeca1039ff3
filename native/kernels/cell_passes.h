#pragma once

/// The passes of one layer and direction, compiled for every cell; what goes through a stack of layers knows a cell
/// only by them.

#include "kernels/backward_pass.h"
#include "kernels/forward_pass.h"
#include "kernels/weight_gradients.h"

namespace unroll::UNROLL_ISA {

struct CellPasses {
  int64_t gates, phases;
  void (*forward)(const LayerRows& rows, Range times, const float* x, int64_t inputs, int64_t slices, Parallel& pool);
  void (*backward)(const LayerRows& rows, Range times, const RecurrentGradient& gradient, InputGradient of_input,
                   int64_t slices, Parallel& pool);
  void (*add_weight_gradients)(const LayerRows& rows, const RecurrentGradient& gradient, const float* x, int64_t inputs,
                               Parallel& pool);
};

template <class Cell>
constexpr CellPasses kPassesOf = {
    Cell::kGates, Cell::kPhases,
    [](const LayerRows& rows, Range times, const float* x, int64_t inputs, int64_t slices, Parallel& pool) {
      ForwardPass<Cell>{rows}.run(times, x, inputs, slices, pool);
    },
    [](const LayerRows& rows, Range times, const RecurrentGradient& gradient, InputGradient of_input, int64_t slices,
       Parallel& pool) { BackwardPass<Cell>{rows}.run(times, gradient, of_input, slices, pool); },
    [](const LayerRows& rows, const RecurrentGradient& gradient, const float* x, int64_t inputs, Parallel& pool) {
      WeightGradients<Cell>{rows, gradient, pool}.add(x, inputs);
    }};

}  // namespace unroll::UNROLL_ISA
