#pragma once

/// Panels: a right operand of a product as the tiles read it.

#include "kernels/panel_layout.h"

namespace unroll::UNROLL_ISA {

/// A panel that is packed: the columns of the right operand that make it, and where its lines go, `step` floats apart.
struct PackedPanel {
  PanelColumns columns;
  float* lines;
  int64_t step;
};

constexpr int kQuad = 4;

/// Columns 0 to 3 of 16 rows that are `stride` floats apart, transposed in registers.
UNROLL_INLINE void load_transposed(const float* rows, int64_t stride, Vec (&columns)[kQuad]) {
  const auto quad = [&](int64_t row) UNROLL_INLINE_LAMBDA { return rows + row * stride; };
#pragma GCC unroll 4
  for (int i = 0; i < kQuad; ++i) columns[i] = load_quads(quad(i), quad(4 + i), quad(8 + i), quad(12 + i));
  transpose_quads(columns);
}

/// A panel from rows of the weight. Not inlined, for two call it.
__attribute__((noinline)) inline void pack_transposed(const float* w, int64_t ldw, int64_t k_size,
                                                      const PackedPanel& panel) {
  const int64_t width = panel.columns.width;
  const float* const rows = w + panel.columns.first * ldw;
  const int64_t whole = width == kPanel ? k_size / kQuad * kQuad : 0;
  for (int64_t k = 0; k < whole; k += kQuad) {
    Vec lines[kQuad];
    load_transposed(rows + k, ldw, lines);
#pragma GCC unroll 4
    for (int i = 0; i < kQuad; ++i) store(panel.lines + (k + i) * panel.step, lines[i]);
  }
  for (int64_t k = whole; k < k_size; ++k) {
    float* const line = panel.lines + k * panel.step;
    for (int64_t j = 0; j < width; ++j) line[j] = rows[j * ldw + k];
    for (int64_t j = width; j < kPanel; ++j) line[j] = 0.0f;
  }
}

/// Some panels from rows of the right operand itself, of which row_at(k) is line k: of a single panel each row would
/// give but a line, which nothing foresees.
template <class RowAt>
void pack_rows(int64_t k_size, const RowAt& row_at, const PackedPanel* panels, int64_t count) {
  constexpr int64_t kRowsAhead = 8;
  for (int64_t k = 0; k < k_size; ++k) {
    const float *const row = row_at(k), *const ahead = row_at(smaller(k + kRowsAhead, k_size - 1));
    for (const PackedPanel* panel = panels; panel < panels + count; ++panel) {
      const PanelColumns& columns = panel->columns;
      __builtin_prefetch(ahead + columns.first);
      store(panel->lines + k * panel->step, load_columns(row + columns.first, columns.width));
    }
  }
}

/// Rows of a matrix in memory.
struct RowsOf {
  const float* data;
  int64_t stride;
  UNROLL_INLINE const float* operator()(int64_t row) const { return data + row * stride; }
};

/// The panels of an operand [k_size][columns], where panel_layout() has them; columns past the last are zero. `w` is
/// [columns][k_size] with row stride ldw if `transposed` (a weight [out][in], used forward), else [k_size][columns].
inline void pack_panels(const float* w, int64_t ldw, int64_t k_size, int64_t columns, int64_t groups, bool transposed,
                        float* panels, Parallel& pool) {
  const PanelLayout layout = panel_layout(k_size, count_of_panels(columns, groups), groups);
  const auto panel_at = [&](int64_t p) {
    const PanelLayout::Place place = layout.place_of(p);
    return PackedPanel{columns_of_panel(p, columns, groups), panels + place.begin, place.step};
  };
  parallel_ranges(pool, layout.panels, 16 * k_size, [&](Range part) {
    constexpr int64_t kAtOnce = 4;
    for (int64_t begin = part.begin; begin < part.end; begin += kAtOnce) {
      const int64_t count = smaller(kAtOnce, part.end - begin);
      PackedPanel some[kAtOnce];
      for (int64_t i = 0; i < count; ++i) some[i] = panel_at(begin + i);
      if (!transposed) {
        pack_rows(k_size, RowsOf{w, ldw}, some, count);
      } else {
        for (int64_t i = 0; i < count; ++i) pack_transposed(w, ldw, k_size, some[i]);
      }
    }
  });
}

}  // namespace unroll::UNROLL_ISA
