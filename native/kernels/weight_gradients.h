#pragma once

/// The gradients of a recurrent layer's weights, summed over all steps after the backward pass has left those of the
/// gates.

#include "kernels/input_table.h"
#include "kernels/row_order.h"

namespace unroll::UNROLL_ISA {

/// Gradients of the weights of one layer and direction: products over all packed rows, not one per step.
template <class Cell>
struct WeightGradients : LayerRows {
  const RecurrentGradient& gradient;
  Parallel& pool;

  void add(const LayerInput& input) const {
    const int32_t* const order = find_orders(input);
    add_matrices(input, order);
    if (input.index != nullptr) add_table_gradients(*this, input, gradient, order, pool);
    if (layer.options.peepholes != nullptr) add_peepholes(order);
    if (projected()) {
      multiply_transposed(rows(), {{{{gradient.d_projected, state_size(), order}, state_size(), {0, 1}, 0, {}}}, 1},
                          {{{{layer.unprojected, hidden(), order}, hidden(), gradient.d_w_hr, hidden()}}, 1}, pool);
    }
  }

 private:
  int64_t rows() const { return packed_rows(steps()); }

  /// The order of the sums, null if it is the packed one; and in that order the row of the states before each row.
  /// Sequences that are equal in all keys are so in all that is summed.
  const int32_t* find_orders(const LayerInput& input) const {
    const RowKey keys[] = {{input.rows, input.size, input.size, false, input.index},
                           {layer.gates, gate_columns(), gate_columns(), false},
                           {layer.states, state_stride(), state_size(), true},
                           {Cell::kHasCells ? layer.cells : nullptr, hidden(), hidden(), true},
                           {projected() ? gradient.d_projected : nullptr, state_size(), state_size(), false}};
    const bool ordered = order_rows(steps(), keys, gradient.row_order);
    for (int64_t t = 0; t < steps().count; ++t) {
      for_each_segment(steps(), t, sequences, reverse, [&](const Segment& segment) {
        for (int64_t b = segment.sequences.begin; b < segment.sequences.end; ++b) {
          const int64_t sequence = ordered ? gradient.row_order[b] : b;
          gradient.previous_rows[segment.row + b] = static_cast<int32_t>(segment.previous + sequence);
        }
      });
    }
    return ordered ? gradient.row_order : nullptr;
  }

  /// Of W_ih and W_hh: the inputs, if they are no table's, and the states are packed once for all gates. Sums of what
  /// they are multiplied by are the gradients of the biases.
  void add_matrices(const LayerInput& input, const int32_t* order) const {
    const int64_t h = hidden(), p = state_size(), first = Cell::kFirstGates * h, others = gate_columns() - first;
    RightOperands right{{{{layer.states, state_stride(), gradient.previous_rows}, p, gradient.d_w_hh, p}}, 1};
    if (input.index == nullptr) {
      right.add({{input.rows, input.size, order}, input.size, gradient.d_w_ih, input.size});
    }
    const Range state_and_input{0, right.count};
    const SumsOfColumns biases{{gradient.d_b_ih, gradient.d_b_hh}};
    LeftOperands left{{{gates_from(0, order), first, state_and_input, 0, biases}}, 1};
    if constexpr (Cell::kFirstGates < Cell::kGates) {
      const Rows kept{layer.recurrent, h, order};
      SumsOfColumns of_others = biases.from(first);
      if constexpr (Cell::kRecurrentGradient) {
        left.add({kept, others, {0, 1}, first, {{of_others.arrays[1], nullptr}}});
        of_others.arrays[1] = nullptr;
      } else {
        right.add({kept, h, gradient.d_w_hh, p});
      }
      left.add({gates_from(first, order), others, {1, right.count}, first, of_others});
    }
    multiply_transposed(rows(), left, right, pool);
  }

  Rows gates_from(int64_t column, const int32_t* order) const { return {layer.gates + column, gate_columns(), order}; }

  /// Peepholes i and f see the cell before, o the cell after.
  void add_peepholes(const int32_t* order) const {
    const int64_t h = hidden();
    const Rows before{layer.cells, h, gradient.previous_rows};
    const Rows after{layer.cells + steps().sequences * h, h, order};
    const auto d_gate = [&](int64_t gate) { return Rows{layer.gates + gate * h, gate_columns(), order}; };
    column_products(rows(), h, d_gate(0), before, gradient.d_peepholes, pool);
    column_products(rows(), h, d_gate(1), before, gradient.d_peepholes + h, pool);
    column_products(rows(), h, d_gate(3), after, gradient.d_peepholes + 2 * h, pool);
  }
};

}  // namespace unroll::UNROLL_ISA
