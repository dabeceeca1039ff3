#pragma once

/// A stack of recurrent layers: input products, the recurrence of each layer and direction, and the weight gradients.

#include "kernels/between_layers.h"
#include "kernels/recurrence.h"

namespace unroll::UNROLL_ISA {

/// Calls body(range of sequences) on the threads of the pool. Split by sequence, so that no step needs a barrier.
template <class Body>
void parallel_sequences(const Steps& steps, int64_t cost_of_step, Parallel& pool, const Body& body) {
  const int64_t tasks = smaller(
      pool.width(), tasks_for(pool, steps.sequences, cost_of_step * packed_rows(steps) / larger(1, steps.sequences)));
  parallel_for(pool, tasks, [&](int64_t task, float*) { body(balanced_part(steps, tasks, task)); });
}

template <class Cell>
Recurrence<Cell> recurrence_of(const RecurrentCall& call, int64_t layer, int64_t direction) {
  return {call, call.layers[layer * call.directions + direction], direction == 1};
}

inline const float* input_of(const RecurrentCall& call, int64_t layer) {
  return layer == 0 ? call.input : output_of(call, layer - 1);
}
inline int64_t input_size_of(const RecurrentCall& call, int64_t layer) {
  return layer == 0 ? call.input_size : output_size(call);
}

template <class Cell>
void run_forward(const RecurrentCall& call, Parallel& pool) {
  const int64_t outputs = Cell::kGates * call.hidden;
  for (int64_t l = 0; l < call.layer_count; ++l) {
    const int64_t inputs = input_size_of(call, l);
    for (int64_t d = 0; d < call.directions; ++d) {
      const Recurrence<Cell> recurrence = recurrence_of<Cell>(call, l, d);
      matmul(packed_rows(call.steps), inputs, outputs, input_of(call, l), inputs, recurrence.layer.w_ih_panels,
             recurrence.layer.bias, false, recurrence.layer.gates, outputs, pool);
      parallel_sequences(call.steps, 2 * outputs * call.state_size, pool,
                         [&](Range sequences) { recurrence.forward(sequences); });
    }
    finish_outputs(call, l, pool);
  }
}

/// Gradients of the weights of one layer and direction: one product over all packed rows each, not one per step.
template <class Cell>
struct WeightGradients {
  const RecurrentCall& call;
  const Recurrence<Cell>& recurrence;
  const RecurrentGradient& gradient;
  Parallel& pool;

  void add(const float* x, int64_t inputs) const {
    find_previous_rows();
    add_product(gates_size(), layer().gates, gates_size(), x, inputs, inputs, nullptr, gradient.d_w_ih);
    add_recurrent();
    if (gradient.d_b_ih != nullptr) add_sums(gates_size(), layer().gates, gates_size(), gradient.d_b_ih);
    if (gradient.d_b_hh != nullptr) add_sums(gates_size(), d_recurrent(), gates_size(), gradient.d_b_hh);
    if (layer().options.peepholes != nullptr) add_peepholes();
    if (recurrence.projected()) {
      add_product(call.state_size, gradient.d_projected, call.state_size, layer().unprojected, call.hidden, call.hidden,
                  nullptr, gradient.d_w_hr);
    }
  }

 private:
  const RecurrentLayer& layer() const { return recurrence.layer; }
  int64_t rows() const { return packed_rows(call.steps); }
  int64_t gates_size() const { return Cell::kGates * call.hidden; }
  const float* d_recurrent() const { return Cell::kRecurrentGradient ? layer().recurrent : layer().gates; }

  /// Row of the states before each packed row.
  void find_previous_rows() const {
    for_each_segment(call.steps, {0, call.steps.sequences}, recurrence.reverse, false, [&](const Segment& segment) {
      for (int64_t b = segment.sequences.begin; b < segment.sequences.end; ++b) {
        gradient.previous_rows[segment.row + b] = static_cast<int32_t>(segment.previous + b);
      }
    });
  }

  void add_recurrent() const {
    const int64_t first = Cell::kFirstGates * call.hidden;
    add_product(first, d_recurrent(), gates_size(), layer().states, call.directions * call.state_size, call.state_size,
                gradient.previous_rows, gradient.d_w_hh);
    if constexpr (Cell::kPhases == 2) {
      add_product(gates_size() - first, layer().gates + first, gates_size(), layer().recurrent, gates_size(),
                  call.hidden, nullptr, gradient.d_w_hh + first * call.state_size);
    }
  }

  void add_product(int64_t outputs, const float* a, int64_t lda, const float* b, int64_t ldb, int64_t columns,
                   const int32_t* index, float* c) const {
    matmul_transposed(rows(), outputs, columns, a, lda, b, ldb, index, c, columns, pool);
  }

  void add_sums(int64_t columns, const float* a, int64_t lda, float* sums) const {
    column_sums(rows(), columns, a, lda, sums, pool);
  }

  /// Peepholes i and f see the cell before, o the cell after.
  void add_peepholes() const {
    const int64_t h = call.hidden;
    const float* after = layer().cells + call.steps.sequences * h;
    const float* d_gates = layer().gates;
    const int32_t* previous = gradient.previous_rows;
    column_products(rows(), h, d_gates, gates_size(), layer().cells, h, previous, gradient.d_peepholes, pool);
    column_products(rows(), h, d_gates + h, gates_size(), layer().cells, h, previous, gradient.d_peepholes + h, pool);
    column_products(rows(), h, d_gates + 3 * h, gates_size(), after, h, nullptr, gradient.d_peepholes + 2 * h, pool);
  }
};

template <class Cell>
void run_backward(const RecurrentCall& call, const RecurrentGradient* gradients, Parallel& pool) {
  const int64_t outputs = Cell::kGates * call.hidden;
  for (int64_t l = call.layer_count - 1; l >= 0; --l) {
    const int64_t inputs = input_size_of(call, l);
    if (drops(call, l)) apply_dropout(call, l, gradients[l * call.directions].d_output, pool);
    for (int64_t d = 0; d < call.directions; ++d) {
      const Recurrence<Cell> recurrence = recurrence_of<Cell>(call, l, d);
      const RecurrentGradient& gradient = gradients[l * call.directions + d];
      parallel_sequences(call.steps, 2 * outputs * call.state_size, pool,
                         [&](Range sequences) { recurrence.backward(sequences, gradient); });
      WeightGradients<Cell>{call, recurrence, gradient, pool}.add(input_of(call, l), inputs);
      // Both directions read the same input: the second adds to the gradient that the first wrote.
      matmul(packed_rows(call.steps), outputs, inputs, recurrence.layer.gates, outputs, gradient.w_ih_back_panels,
             nullptr, d > 0, gradient.d_input, inputs, pool);
    }
  }
}

}  // namespace unroll::UNROLL_ISA
