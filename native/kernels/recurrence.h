#pragma once

/// Layers that carry a state through time, written once for every cell: the time loop, the direction, the stack of
/// layers, and back-propagation through time.
///
/// A cell provides the gate arithmetic of 16 hidden units of one row:
///   kGates                 gates a unit has, in PyTorch's order
///   forward(sums, row)     sums[g] = W_ih x + b + W_hh h_{t-1} of gate g; writes the state, and what backward needs
///   backward(row, d_h)     d_h = dE/dh_t; leaves dE/d(sums[g]) in row.gates

#include "kernels/matmul.h"
#include "kernels/segments.h"

namespace unroll::UNROLL_ISA {

/// Up to 16 hidden units of one packed row; every pointer is at the first of them, gate g is at gates + g * gate_stride.
struct CellRow {
  int64_t units, gate_stride;
  float* gates;
  float* h;
};

/// One layer and direction of a call, with the sizes that all of them share.
template <class Cell>
struct Recurrence {
  const Steps& steps;
  const RecurrentLayer& layer;
  int64_t hidden, state_stride;
  bool reverse;

  static constexpr int64_t kGates = Cell::kGates;

  int64_t unit_blocks() const { return divide_up(hidden, kPanel); }
  float* state(int64_t row) const { return layer.states + row * state_stride; }
  float* output(int64_t row) const { return state(steps.sequences + row); }
  float* gates(int64_t row) const { return layer.gates + row * kGates * hidden; }
  CellRow cell_row(int64_t row, int64_t unit) const {
    return {smaller(kPanel, hidden - unit), hidden, gates(row) + unit, output(row) + unit};
  }

  void forward(Range sequences) const {
    load_initial(sequences);
    for_each_segment(steps, sequences, reverse, false, [&](const Segment& segment) { forward_segment(segment); });
    for_each_final_row(steps, sequences, reverse, [&](int64_t b, int64_t row) {
      copy(state(row), layer.final_state + steps.order[b] * hidden);
    });
  }

  /// `d_h` [B][H] carries dE/dh from step to step: it starts as the gradient of the final state and ends as that of the
  /// initial state, both in packed order while in here.
  void backward(Range sequences, const RecurrentGradient& gradient) const {
    for (int64_t b = sequences.begin; b < sequences.end; ++b) {
      float* d_h = gradient.d_h + b * hidden;
      if (gradient.d_final_state == nullptr) {
        clear(d_h);
      } else {
        copy(gradient.d_final_state + steps.order[b] * hidden, d_h);
      }
    }
    for_each_segment(steps, sequences, reverse, true,
                     [&](const Segment& segment) { backward_segment(segment, gradient); });
    if (gradient.d_initial_state == nullptr) return;
    for (int64_t b = sequences.begin; b < sequences.end; ++b) {
      copy(gradient.d_h + b * hidden, gradient.d_initial_state + steps.order[b] * hidden);
    }
  }

 private:
  void copy(const float* from, float* to) const {
    for (int64_t j = 0; j < hidden; ++j) to[j] = from[j];
  }
  void clear(float* to) const {
    for (int64_t j = 0; j < hidden; ++j) to[j] = 0.0f;
  }

  void load_initial(Range sequences) const {
    for (int64_t b = sequences.begin; b < sequences.end; ++b) {
      if (layer.initial_state == nullptr) {
        clear(state(b));
      } else {
        copy(layer.initial_state + steps.order[b] * hidden, state(b));
      }
    }
  }

  /// One step: for each block of 16 units, all gates of a row tile into L1, then the cell.
  void forward_segment(const Segment& segment) const {
    for (int64_t block = 0; block < unit_blocks(); ++block) {
      const float* panels = layer.w_hh_panels + block * kGates * kPanel * hidden;
      for_row_tiles(segment.sequences, [&]<int kRows>(int64_t b) {
        forward_tile<kRows>(segment, b, block * kPanel, panels);
      });
    }
  }

  template <int kRows>
  UNROLL_INLINE void forward_tile(const Segment& segment, int64_t b, int64_t unit, const float* panels) const {
    alignas(64) float sums[kGates][kRows][kPanel];
    const int64_t row = segment.row + b, units = smaller(kPanel, hidden - unit);
    for (int g = 0; g < kGates; ++g) {
      multiply_tile<kRows, 1>(state(segment.previous + b), state_stride, panels + g * kPanel * hidden, 0, hidden,
                              {gates(row) + g * hidden + unit, kGates * hidden}, &sums[g][0][0], kPanel, units);
    }
    for (int r = 0; r < kRows; ++r) {
      const float* of_row[kGates];
      for (int g = 0; g < kGates; ++g) of_row[g] = sums[g][r];
      Cell::forward(of_row, cell_row(row + r, unit));
    }
  }

  void backward_segment(const Segment& segment, const RecurrentGradient& gradient) const {
    const Range sequences = segment.sequences;
    for (int64_t b = sequences.begin; b < sequences.end; ++b) {
      const float* d_output = gradient.d_output + (segment.row + b) * state_stride;
      const float* d_h = gradient.d_h + b * hidden;
      for (int64_t unit = 0; unit < hidden; unit += kPanel) {
        const CellRow row = cell_row(segment.row + b, unit);
        Cell::backward(row, load_columns(d_output + unit, row.units) + load_columns(d_h + unit, row.units));
      }
    }
    // dE/dh_{t-1} = d_gates W_hh
    for (int64_t block = 0; block < unit_blocks(); ++block) {
      const float* panel = gradient.w_hh_back_panels + block * kPanel * kGates * hidden;
      for_row_tiles(sequences, [&]<int kRows>(int64_t b) {
        multiply_tile<kRows, 1>(gates(segment.row + b), kGates * hidden, panel, 0, kGates * hidden, {nullptr, 0},
                                gradient.d_h + b * hidden + block * kPanel, hidden, hidden - block * kPanel);
      });
    }
  }
};

/// Calls body(range of sequences) on the threads of the pool. Split by sequence, so that no step needs a barrier.
template <class Body>
void parallel_sequences(const Steps& steps, int64_t cost_of_step, Parallel& pool, const Body& body) {
  const int64_t tasks = smaller(pool.width(), tasks_for(pool, steps.sequences,
                                                        cost_of_step * packed_rows(steps) / larger(1, steps.sequences)));
  parallel_for(pool, tasks, [&](int64_t task, float*) { body(balanced_part(steps, tasks, task)); });
}

template <class Cell>
Recurrence<Cell> recurrence_of(const RecurrentCall& call, int64_t layer, int64_t direction) {
  return {call.steps, call.layers[layer * call.directions + direction], call.hidden, call.directions * call.hidden,
          direction == 1};
}

/// Output rows of a layer, all directions side by side: the input of the next.
inline const float* output_of(const RecurrentCall& call, int64_t layer) {
  return call.layers[layer * call.directions].states + call.steps.sequences * call.directions * call.hidden;
}

inline const float* input_of(const RecurrentCall& call, int64_t layer) {
  return layer == 0 ? call.input : output_of(call, layer - 1);
}
inline int64_t input_size_of(const RecurrentCall& call, int64_t layer) {
  return layer == 0 ? call.input_size : call.directions * call.hidden;
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
      parallel_sequences(call.steps, 2 * outputs * call.hidden, pool,
                         [&](Range sequences) { recurrence.forward(sequences); });
    }
  }
}

/// Weight gradients are one product over all packed rows, not one per step. dE/dW_hh takes the state before each row.
template <class Cell>
void add_weight_gradients(const RecurrentCall& call, const Recurrence<Cell>& recurrence, int64_t inputs, const float* x,
                          const RecurrentGradient& gradient, Parallel& pool) {
  const int64_t rows = packed_rows(call.steps), outputs = Cell::kGates * call.hidden;
  for_each_segment(call.steps, {0, call.steps.sequences}, recurrence.reverse, false, [&](const Segment& segment) {
    for (int64_t b = segment.sequences.begin; b < segment.sequences.end; ++b) {
      gradient.previous_rows[segment.row + b] = static_cast<int32_t>(segment.previous + b);
    }
  });
  const float* d_gates = recurrence.layer.gates;
  matmul_transposed(rows, outputs, inputs, d_gates, outputs, x, inputs, nullptr, gradient.d_w_ih, inputs, pool);
  matmul_transposed(rows, outputs, call.hidden, d_gates, outputs, recurrence.layer.states, recurrence.state_stride,
                    gradient.previous_rows, gradient.d_w_hh, call.hidden, pool);
  if (gradient.d_b_ih != nullptr) column_sums(rows, outputs, d_gates, outputs, gradient.d_b_ih, pool);
  if (gradient.d_b_hh != nullptr) column_sums(rows, outputs, d_gates, outputs, gradient.d_b_hh, pool);
}

template <class Cell>
void run_backward(const RecurrentCall& call, const RecurrentGradient* gradients, Parallel& pool) {
  const int64_t outputs = Cell::kGates * call.hidden;
  for (int64_t l = call.layer_count - 1; l >= 0; --l) {
    const int64_t inputs = input_size_of(call, l);
    for (int64_t d = 0; d < call.directions; ++d) {
      const Recurrence<Cell> recurrence = recurrence_of<Cell>(call, l, d);
      const RecurrentGradient& gradient = gradients[l * call.directions + d];
      parallel_sequences(call.steps, 2 * outputs * call.hidden, pool,
                         [&](Range sequences) { recurrence.backward(sequences, gradient); });
      add_weight_gradients(call, recurrence, inputs, input_of(call, l), gradient, pool);
      if (gradient.d_input == nullptr) continue;
      // Both directions read the same input: the second adds to the gradient that the first wrote.
      matmul(packed_rows(call.steps), outputs, inputs, recurrence.layer.gates, outputs, gradient.w_ih_back_panels,
             nullptr, d > 0, gradient.d_input, inputs, pool);
    }
  }
}

}  // namespace unroll::UNROLL_ISA
