#pragma once

/// The Elman cell: h_t = act(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), act = tanh or relu (PyTorch nn.RNN).

#include "kernels/cell_row.h"
#include "kernels/elementary.h"

namespace unroll::UNROLL_ISA {

struct TanhActivation {
  static constexpr int kStages = 2;
  static UNROLL_INLINE Halfway begin(Vec a) { return Tanh::begin(a); }
  static UNROLL_INLINE Vec end(const Halfway& half, Vec a) { return Tanh::end(half, a); }
  static UNROLL_INLINE Vec gradient(Vec h, Vec d_h) { return tanh_derivative(h) * d_h; }
};

struct ReluActivation {
  static constexpr int kStages = 1;
  /// max returns its second operand for NaN, so NaN goes through.
  static UNROLL_INLINE Vec apply(Vec a) { return max(broadcast(0.0f), a); }
  static UNROLL_INLINE Vec end(const Halfway&, Vec a) { return apply(a); }
  static UNROLL_INLINE Vec gradient(Vec h, Vec d_h) { return select(h <= broadcast(0.0f), broadcast(0.0f), d_h); }
};

/// See cell_row.h for what a cell provides.
template <class Activation>
struct RnnCell {
  static constexpr int kGates = 1, kPhases = 1, kFirstGates = 1;
  static constexpr bool kDirectPath = false, kHasCells = false, kHasRecurrent = false, kRecurrentGradient = false;

  static UNROLL_INLINE Start start(int g, const CellRow& row, int64_t stride) { return row.gate_start(g, stride); }

  struct Kept {
    Halfway h;
  };
  static constexpr int kStages = Activation::kStages;
  template <int kPhase>
  static constexpr int kSigmoids = 0;

  template <int kPhase, int kStage, class Gate>
  static UNROLL_INLINE void forward(const float* sums, const CellRow& row, Kept& kept) {
    if constexpr (kStage + 1 < kStages) {
      kept.h = Activation::begin(load(sums));
    } else {
      row.store(row.h, Activation::end(kept.h, load(sums)));
    }
  }

  template <int kPhase>
  static UNROLL_INLINE void backward(const CellRow& row, Vec d_h) {
    row.store_gate(0, Activation::gradient(row.load(row.h), d_h));
  }
};

}  // namespace unroll::UNROLL_ISA
