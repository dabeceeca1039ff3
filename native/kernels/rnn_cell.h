#pragma once

/// The Elman cell: h_t = act(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), act = tanh or relu (PyTorch nn.RNN).

#include "kernels/elementary.h"
#include "kernels/recurrence.h"

namespace unroll::UNROLL_ISA {

struct TanhActivation {
  static UNROLL_INLINE Vec apply(Vec a) { return tanh(a); }
  /// d_a = d_h (1 - h^2)
  static UNROLL_INLINE Vec gradient(Vec h, Vec d_h) { return fma(-h, h, broadcast(1.0f)) * d_h; }
};

struct ReluActivation {
  /// max returns its second operand for NaN, so NaN goes through.
  static UNROLL_INLINE Vec apply(Vec a) { return max(broadcast(0.0f), a); }
  static UNROLL_INLINE Vec gradient(Vec h, Vec d_h) {
    return select(h <= broadcast(0.0f), broadcast(0.0f), d_h);
  }
};

/// See recurrence.h for what a cell provides.
template <class Activation>
struct RnnCell {
  static constexpr int kGates = 1;

  static UNROLL_INLINE void forward(const float* const (&sums)[kGates], const CellRow& row) {
    store_columns(row.h, Activation::apply(load(sums[0])), row.units);
  }

  static UNROLL_INLINE void backward(const CellRow& row, Vec d_h) {
    store_columns(row.gates, Activation::gradient(load_columns(row.h, row.units), d_h), row.units);
  }
};

}  // namespace unroll::UNROLL_ISA
