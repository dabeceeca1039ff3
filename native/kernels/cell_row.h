#pragma once

/// What a cell sees: up to 16 units of one packed row.
///
/// A cell provides the gate arithmetic of up to 16 units of one row (CellRow), and says what it needs of a step:
///   kGates              gates a unit has, in PyTorch's order
///   kPhases             products of one step: 1, or 2 if some gates need the result of others for all units
///   kFirstGates         gates whose gradients are those of W_ih x and W_hh h alike; of two phases those of the first
///   kDirectPath         whether h_{t-1} reaches h_t beside the gates; backward then leaves that part in row.d_h_prev
///   kHasCells           whether there is a second state c
///   kHasRecurrent       whether it keeps more than the gates: see CellRow::recurrent
///   kRecurrentGradient  whether backward leaves dE/d(W_hh h) of the other gates in row.recurrent
///   start(g, row)     what the product of gate g is added to: row.gates, or a bias kept apart
///   kStages, Kept       stages of a phase of the forward pass, and what they hand on
///   kSigmoids<phase>    of the phase's gates those that are sigmoids, a bit each
///   forward<phase, stage, Gate>(sums, row, kept)
///                       W_ih x + b + W_hh h_{t-1} of the phase's gates one after the other; the stages together write
///                       the state and, if row.keeps, what backward needs. Gate: Sigmoid if the arguments of the
///                       sigmoids are near, else AnySigmoid
///   backward<phase>(row, d_h)
///                       d_h = dE/dh_t; leaves dE/d(W_ih x) in row.gates

#include "kernels/kernels.h"
#include "kernels/tile.h"

namespace unroll::UNROLL_ISA {

/// Every pointer is at the row's first unit; gate g of the gates is at gates + g * stride.
struct CellRow {
  int64_t unit;  ///< the first of the units
  Lanes units;
  int64_t stride;
  float* gates;
  const float* h_prev;
  float* h;
  const float* c_prev;  ///< cells with a second state
  float* c;
  float* recurrent;  ///< cells that keep more than the gates
  float* d_h_prev;   ///< backward: dE/dh_{t-1} past the gates
  float* d_c;        ///< backward: dE/dc_t on entry, dE/dc_{t-1} on return
  const CellOptions* options;
  bool keeps;  ///< forward: whether a backward pass may follow

  UNROLL_INLINE Vec load(const float* row) const { return load_partial(row + unit, units); }
  UNROLL_INLINE void store(float* row, Vec value) const { store_columns(row + unit, value, units); }
  UNROLL_INLINE Vec load_gate(int g) const { return load(gates + g * stride); }
  UNROLL_INLINE void store_gate(int g, Vec value) const { store(gates + g * stride, value); }
  /// What only the backward pass reads: a pass that only answers saves a fifth of its cells' time without it.
  UNROLL_INLINE void keep_gate(int g, Vec value) const {
    if (keeps) store_gate(g, value);
  }
  UNROLL_INLINE Start gate_start(int g, int64_t row_stride) const {
    return {gates + g * stride + unit, row_stride, units};
  }
};

UNROLL_INLINE Vec one() { return broadcast(1.0f); }
/// Derivatives by the function's value: 1 - y^2 and y (1 - y).
UNROLL_INLINE Vec tanh_derivative(Vec y) { return fma(-y, y, one()); }
UNROLL_INLINE Vec sigmoid_derivative(Vec y) { return fma(-y, y, y); }

}  // namespace unroll::UNROLL_ISA
