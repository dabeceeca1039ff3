#pragma once

/// What a cell sees: up to 16 units of one packed row.

#include "kernels/kernels.h"
#include "kernels/tile.h"

namespace unroll::UNROLL_ISA {

/// Every pointer is at the row's first unit; gate g of the gates is at gates + g * stride.
struct CellRow {
  int64_t unit, units;  ///< the first of the units, and how many
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

  UNROLL_INLINE Vec load(const float* row) const { return load_columns(row + unit, units); }
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
