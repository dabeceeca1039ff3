#pragma once

/// The LSTM cell (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000), gates i f g o as PyTorch
/// nn.LSTM:
///
///   i, f, o = sigmoid(a), g = tanh(a),  a = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh
///   c_t = f c_{t-1} + i g,              h_t = o tanh(c_t)
///
/// With peepholes p (Gers and Schmidhuber 2000; ONNX LSTM input P) a_i and a_f gain p_i c_{t-1} and p_f c_{t-1}, a_o
/// gains p_o c_t. With coupled input and forget gates (ONNX input_forget) f = 1 - i, and the weights of f are not used.

#include "kernels/cell_row.h"
#include "kernels/elementary.h"

namespace unroll::UNROLL_ISA {

/// See cell_row.h for what a cell provides. The gates keep their activated values.
struct LstmCell {
  static constexpr int kGates = 4, kPhases = 1, kFirstGates = 4;
  static constexpr bool kDirectPath = false, kHasCells = true, kHasRecurrent = false, kRecurrentGradient = false;

  static UNROLL_INLINE Start start(int g, const CellRow& row, int64_t stride) { return row.gate_start(g, stride); }

  struct Kept {
    Halfway i, f, g_or_c, o;
    Vec c;
  };
  static constexpr int kStages = 4;
  template <int kPhase>
  static constexpr int kSigmoids = 0b1011;

  template <int kPhase, int kStage, class Gate>
  static UNROLL_INLINE void forward(const float* sums, const CellRow& row, Kept& kept) {
    const bool peepholes = row.options->peepholes != nullptr, coupled = row.options->coupled;
    if constexpr (kStage == 0) {
      Vec a_i = load(sums), a_f = load(sums + kPanel);
      if (peepholes) {
        const Vec c_prev = row.load(row.c_prev);
        a_i = fma(peephole(row, 0), c_prev, a_i);
        a_f = fma(peephole(row, 1), c_prev, a_f);
      }
      kept.i = Gate::begin(a_i);
      kept.f = Gate::begin(a_f);
      kept.g_or_c = Tanh::begin(load(sums + 2 * kPanel));
    } else if constexpr (kStage == 1) {
      const Vec i = Gate::end(kept.i), f = coupled ? one() - i : Gate::end(kept.f);
      const Vec g = Tanh::end(kept.g_or_c, load(sums + 2 * kPanel));
      kept.c = fma(f, row.load(row.c_prev), i * g);
      row.keep_gate(0, i);
      row.keep_gate(1, f);
      row.keep_gate(2, g);
      row.store(row.c, kept.c);
    } else if constexpr (kStage == 2) {
      Vec a_o = load(sums + 3 * kPanel);
      if (peepholes) a_o = fma(peephole(row, 2), kept.c, a_o);
      kept.o = Gate::begin(a_o);
      kept.g_or_c = Tanh::begin(kept.c);
    } else {
      const Vec o = Gate::end(kept.o);
      row.keep_gate(3, o);
      row.store(row.h, o * Tanh::end(kept.g_or_c, kept.c));
    }
  }

  template <int kPhase>
  static UNROLL_INLINE void backward(const CellRow& row, Vec d_h) {
    const Vec i = row.load_gate(0), f = row.load_gate(1), g = row.load_gate(2), o = row.load_gate(3);
    const Vec c_prev = row.load(row.c_prev);
    const Vec tanh_c = tanh(row.load(row.c));
    const Vec d_a_o = d_h * tanh_c * sigmoid_derivative(o);
    Vec d_c = fma(d_h * o, tanh_derivative(tanh_c), row.load(row.d_c));
    if (row.options->peepholes != nullptr) d_c = fma(d_a_o, peephole(row, 2), d_c);
    // Coupled: c_t = (1 - i) c_{t-1} + i g, so f passes its gradient to i.
    const Vec d_i = row.options->coupled ? d_c * (g - c_prev) : d_c * g;
    const Vec d_a_i = d_i * sigmoid_derivative(i);
    const Vec d_a_f = row.options->coupled ? broadcast(0.0f) : d_c * c_prev * sigmoid_derivative(f);
    Vec d_c_prev = d_c * f;
    if (row.options->peepholes != nullptr) {
      d_c_prev = fma(d_a_i, peephole(row, 0), fma(d_a_f, peephole(row, 1), d_c_prev));
    }
    row.store_gate(0, d_a_i);
    row.store_gate(1, d_a_f);
    row.store_gate(2, d_c * i * tanh_derivative(g));
    row.store_gate(3, d_a_o);
    row.store(row.d_c, d_c_prev);
  }

 private:
  /// Gate 0, 1, 2 of the peepholes: i, f, o.
  static UNROLL_INLINE Vec peephole(const CellRow& row, int gate) {
    return row.load(row.options->peepholes + gate * row.stride);
  }
};

}  // namespace unroll::UNROLL_ISA
