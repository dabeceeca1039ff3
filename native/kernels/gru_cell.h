#pragma once

/// The GRU cell, gates r z n. Both forms share r, z = sigmoid(a), a = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh, and
/// h_t = (1 - z) n + z h_{t-1}; they differ in where the reset gate acts:
///
///   reset after  (PyTorch nn.GRU, cuDNN):    n = tanh(W_in x_t + b_in + r (W_hn h_{t-1} + b_hn))
///   reset before (Cho et al. 2014):          n = tanh(W_in x_t + b_in + W_hn (r h_{t-1}) + b_hn)

#include "kernels/cell_row.h"
#include "kernels/elementary.h"

namespace unroll::UNROLL_ISA {

/// What both forms share: the end of the step, and its gradient.
struct GruEnd {
  static UNROLL_INLINE void forward(const CellRow& row, Vec z, Vec n) {
    const Vec h_prev = row.load(row.h_prev);
    row.keep_gate(1, z);
    row.keep_gate(2, n);
    row.store(row.h, fma(z, h_prev - n, n));
  }

  /// Leaves dE/da of z and n in their gates and the direct part of dE/dh_{t-1}; returns dE/da of n.
  static UNROLL_INLINE Vec backward(const CellRow& row, Vec d_h) {
    const Vec z = row.load_gate(1), n = row.load_gate(2), h_prev = row.load(row.h_prev);
    const Vec d_a_n = d_h * (one() - z) * tanh_derivative(n);
    row.store_gate(1, d_h * (h_prev - n) * sigmoid_derivative(z));
    row.store_gate(2, d_a_n);
    row.store(row.d_h_prev, d_h * z);
    return d_a_n;
  }
};

/// See cell_row.h for what a cell provides. `recurrent` keeps W_hn h + b_hn, and after the backward pass its
/// gradient: those of W_hr h and W_hz h are the same as those of the inputs' sums.
struct GruCell {
  static constexpr int kGates = 3, kPhases = 1, kFirstGates = 2;
  static constexpr bool kDirectPath = true, kHasCells = false, kHasRecurrent = true, kRecurrentGradient = true;

  static UNROLL_INLINE Start start(int g, const CellRow& row, int64_t stride) {
    if (g < 2) return row.gate_start(g, stride);
    const float* const bias = row.options->recurrent_bias;
    return start_or_nothing(bias == nullptr ? nullptr : bias + row.unit, 0, row.units);
  }

  struct Kept {
    Halfway r, z, n;
    Vec a_n;
  };
  static constexpr int kStages = 4;
  template <int kPhase>
  static constexpr int kSigmoids = 0b011;

  template <int kPhase, int kStage, class Gate>
  static UNROLL_INLINE void forward(const float* sums, const CellRow& row, Kept& kept) {
    if constexpr (kStage == 0) {
      kept.r = Gate::begin(load(sums));
      kept.z = Gate::begin(load(sums + kPanel));
    } else if constexpr (kStage == 1) {
      const Vec r = Gate::end(kept.r), from_h = load(sums + 2 * kPanel);
      row.keep_gate(0, r);
      if (row.keeps) row.store(row.recurrent, from_h);
      kept.a_n = fma(r, from_h, row.load_gate(2));
    } else if constexpr (kStage == 2) {
      kept.n = Tanh::begin(kept.a_n);
    } else {
      GruEnd::forward(row, Gate::end(kept.z), Tanh::end(kept.n, kept.a_n));
    }
  }

  template <int kPhase>
  static UNROLL_INLINE void backward(const CellRow& row, Vec d_h) {
    const Vec r = row.load_gate(0), from_h = row.load(row.recurrent);
    const Vec d_a_n = GruEnd::backward(row, d_h);
    row.store_gate(0, d_a_n * from_h * sigmoid_derivative(r));
    row.store(row.recurrent, d_a_n * r);
  }
};

/// Two products a step: r and z first, then n from r h_{t-1}, which `recurrent` keeps.
struct GruResetBeforeCell {
  static constexpr int kGates = 3, kPhases = 2, kFirstGates = 2;
  static constexpr bool kDirectPath = true, kHasCells = false, kHasRecurrent = true, kRecurrentGradient = false;

  static UNROLL_INLINE Start start(int g, const CellRow& row, int64_t stride) { return row.gate_start(g, stride); }

  struct Kept {
    Halfway r_or_n, z;
  };
  static constexpr int kStages = 2;
  template <int kPhase>
  static constexpr int kSigmoids = kPhase == 0 ? 0b11 : 0;

  template <int kPhase, int kStage, class Gate>
  static UNROLL_INLINE void forward(const float* sums, const CellRow& row, Kept& kept) {
    if constexpr (kPhase == 0 && kStage == 0) {
      kept.r_or_n = Gate::begin(load(sums));
      kept.z = Gate::begin(load(sums + kPanel));
    } else if constexpr (kPhase == 0) {
      const Vec r = Gate::end(kept.r_or_n);
      row.keep_gate(0, r);
      row.store_gate(1, Gate::end(kept.z));
      row.store(row.recurrent, r * row.load(row.h_prev));
    } else if constexpr (kStage == 0) {
      kept.r_or_n = Tanh::begin(load(sums));
    } else {
      GruEnd::forward(row, row.load_gate(1), Tanh::end(kept.r_or_n, load(sums)));
    }
  }

  /// The second call gets dE/d(r h_{t-1}).
  template <int kPhase>
  static UNROLL_INLINE void backward(const CellRow& row, Vec d) {
    if constexpr (kPhase == 0) {
      GruEnd::backward(row, d);
    } else {
      const Vec r = row.load_gate(0), h_prev = row.load(row.h_prev);
      row.store_gate(0, d * h_prev * sigmoid_derivative(r));
      row.store(row.d_h_prev, fma(d, r, row.load(row.d_h_prev)));
    }
  }
};

}  // namespace unroll::UNROLL_ISA
