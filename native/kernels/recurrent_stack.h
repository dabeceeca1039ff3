#pragma once

/// A stack of recurrent layers: input products, the recurrence of each layer and direction, and the weight gradients.

#include "kernels/backward_pass.h"
#include "kernels/forward_pass.h"
#include "kernels/matmul_transposed.h"
#include "kernels/row_order.h"
#include "kernels/sharing.h"

namespace unroll::UNROLL_ISA {

template <class Cell>
LayerRows rows_of(const RecurrentCall& call, int64_t layer, int64_t direction) {
  return {call, call.layers[layer * call.directions + direction], direction == 1, Cell::kGates};
}

inline const float* input_of(const RecurrentCall& call, int64_t layer) {
  return layer == 0 ? call.input : output_of(call, layer - 1);
}

template <class Cell>
void run_forward(const RecurrentCall& call, Parallel& pool) {
  const Sharing sharing = sharing_of<Cell>(call, pool);
  for_each_layer(call, sharing, pool, [&](int64_t l, Range sequences, Range times, Parallel& threads) {
    for_each_direction(call, sharing, threads, [&](int64_t d, Parallel& of_direction) {
      ForwardPass<Cell>{rows_of<Cell>(call, l, d)}.run(sequences, times, input_of(call, l), input_size_of(call, l),
                                                       sharing.slices, of_direction);
    });
    finish_outputs(call, l, sequences, times, threads);
  });
}

/// Gradients of the weights of one layer and direction: one product over all packed rows each, not one per step.
template <class Cell>
struct WeightGradients {
  const RecurrentCall& call;
  const LayerRows& of_layer;
  const RecurrentGradient& gradient;
  Parallel& pool;

  void add(const float* x, int64_t inputs) const {
    const int32_t* const order = find_orders(x, inputs);
    add_matrices({{x, inputs, order}, inputs, gradient.d_w_ih, inputs}, order);
    if (layer().options.peepholes != nullptr) add_peepholes(order);
    if (of_layer.projected()) {
      add_product(call.state_size, {gradient.d_projected, call.state_size, order},
                  {{{{layer().unprojected, call.hidden, order}, call.hidden, gradient.d_w_hr, call.hidden}}, 1}, {});
    }
  }

 private:
  const RecurrentLayer& layer() const { return of_layer.layer; }
  int64_t rows() const { return packed_rows(call.steps); }
  int64_t gates_size() const { return Cell::kGates * call.hidden; }
  /// The order of the sums, null if it is the packed one; and in that order the row of the states before each row.
  /// Sequences that are equal in all keys are so in all that is summed.
  const int32_t* find_orders(const float* x, int64_t inputs) const {
    const int64_t state_stride = call.directions * call.state_size;
    const RowKey keys[] = {
        {x, inputs, inputs, false},
        {layer().gates, gates_size(), gates_size(), false},
        {layer().states, state_stride, call.state_size, true},
        {Cell::kHasCells ? layer().cells : nullptr, call.hidden, call.hidden, true},
        {of_layer.projected() ? gradient.d_projected : nullptr, call.state_size, call.state_size, false}};
    const bool ordered = order_rows(call.steps, keys, gradient.row_order);
    for (int64_t t = 0; t < call.steps.count; ++t) {
      for_each_segment(call.steps, t, {0, call.steps.sequences}, of_layer.reverse, [&](const Segment& segment) {
        for (int64_t b = segment.sequences.begin; b < segment.sequences.end; ++b) {
          const int64_t sequence = ordered ? gradient.row_order[b] : b;
          gradient.previous_rows[segment.row + b] = static_cast<int32_t>(segment.previous + sequence);
        }
      });
    }
    return ordered ? gradient.row_order : nullptr;
  }

  /// Of W_ih and W_hh: one product, where both are multiplied by the same gradients. Their sums are the gradients of
  /// the biases.
  void add_matrices(const RightOperand& input, const int32_t* order) const {
    const int64_t h = call.hidden, p = call.state_size, first = Cell::kFirstGates * h, others = gates_size() - first;
    const RightOperand state{{layer().states, call.directions * p, gradient.previous_rows}, p, gradient.d_w_hh, p};
    const Rows d_gates = gates_from(0, order), kept{layer().recurrent, h, order};
    add_product(first, d_gates, {{input, state}, 2}, {{gradient.d_b_ih, gradient.d_b_hh}});
    if constexpr (Cell::kFirstGates == Cell::kGates) return;
    RightOperand other_input = input, other_state = state;
    other_input.c += first * input.ldc;
    other_state.c += first * p;
    const bool biased = gradient.d_b_ih != nullptr;
    float* const d_b_ih = biased ? gradient.d_b_ih + first : nullptr;
    float* const d_b_hh = biased ? gradient.d_b_hh + first : nullptr;
    if constexpr (Cell::kRecurrentGradient) {
      add_product(others, gates_from(first, order), {{other_input}, 1}, {{d_b_ih, nullptr}});
      add_product(others, kept, {{other_state}, 1}, {{d_b_hh, nullptr}});
    } else {
      other_state.rows = kept;
      add_product(others, gates_from(first, order), {{other_input, other_state}, 2}, {{d_b_ih, d_b_hh}});
    }
  }

  Rows gates_from(int64_t column, const int32_t* order) const { return {layer().gates + column, gates_size(), order}; }

  void add_product(int64_t outputs, const Rows& a, const RightOperands& b, const SumsOfColumns& sums) const {
    multiply_transposed(rows(), outputs, a, b, sums, pool);
  }

  /// Peepholes i and f see the cell before, o the cell after.
  void add_peepholes(const int32_t* order) const {
    const int64_t h = call.hidden;
    const Rows before{layer().cells, h, gradient.previous_rows};
    const Rows after{layer().cells + call.steps.sequences * h, h, order};
    const auto d_gate = [&](int64_t gate) { return Rows{layer().gates + gate * h, gates_size(), order}; };
    column_products(rows(), h, d_gate(0), before, gradient.d_peepholes, pool);
    column_products(rows(), h, d_gate(1), before, gradient.d_peepholes + h, pool);
    column_products(rows(), h, d_gate(3), after, gradient.d_peepholes + 2 * h, pool);
  }
};

/// Both directions of a layer read the same input: the second adds to the gradient that the first wrote, and where they
/// run beside each other does so after both have ended.
template <class Cell>
void backward_layer(const RecurrentCall& call, const Sharing& sharing, int64_t l, const RecurrentGradient* gradients,
                    Range sequences, Range times, Parallel& threads) {
  const bool beside = sharing.way == Sharing::kDirections;
  const int64_t inputs = input_size_of(call, l);
  for_each_direction(call, sharing, threads, [&](int64_t d, Parallel& of_direction) {
    const InputGradient of_input{inputs, d > 0, d == 0 || !beside};
    BackwardPass<Cell>{rows_of<Cell>(call, l, d)}.run(sequences, times, gradients[d], of_input, sharing.slices,
                                                      of_direction);
  });
  for (int64_t d = 1; beside && d < call.directions; ++d) {
    BackwardPass<Cell>{rows_of<Cell>(call, l, d)}.run_inputs(sequences, times, gradients[d], {inputs, true, true},
                                                             threads);
  }
}

template <class Cell>
void run_backward(const RecurrentCall& call, const RecurrentGradient* gradients, Parallel& pool) {
  const Sharing sharing = sharing_of<Cell>(call, pool);
  for_each_layer(call, sharing, pool, [&](int64_t index, Range sequences, Range times, Parallel& threads) {
    const int64_t l = call.layer_count - 1 - index, count = call.steps.count;
    const RecurrentGradient* const of_layer = gradients + l * call.directions;
    if (drops(call, l)) {
      apply_dropout(call, l, sequences, {count - times.end, count - times.begin}, of_layer->d_output, threads);
    }
    backward_layer<Cell>(call, sharing, l, of_layer, sequences, times, threads);
  });
  for (int64_t l = call.layer_count - 1; l >= 0; --l) {
    for (int64_t d = 0; d < call.directions; ++d) {
      const LayerRows of_layer = rows_of<Cell>(call, l, d);
      WeightGradients<Cell>{call, of_layer, gradients[l * call.directions + d], pool}.add(input_of(call, l),
                                                                                          input_size_of(call, l));
    }
  }
}

}  // namespace unroll::UNROLL_ISA
