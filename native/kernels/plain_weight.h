#pragma once

/// Products of single rows with a weight as it is: to pack one takes longer than to multiply by it once.

#include "kernels/panels.h"
#include "kernels/product.h"

namespace unroll::UNROLL_ISA {

/// The products of a row with lines of 16 columns, those of a panel `step` floats apart.
template <int kPanels>
UNROLL_INLINE void multiply_lines(const float* left, const float* const (&panels)[kPanels], int64_t step, int64_t size,
                                  float* tile) {
  Vec sums[kPanels];
#pragma GCC unroll 4
  for (int p = 0; p < kPanels; ++p) sums[p] = broadcast(0.0f);
  for (int64_t k = 0; k < size; ++k) {
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) add_product(broadcast(left[k]), load(panels[p] + k * step), sums[p]);
  }
#pragma GCC unroll 4
  for (int p = 0; p < kPanels; ++p) store(tile + p * kPanel, sums[p]);
}

/// Likewise with the columns of 16 rows that are `step` floats apart.
template <int kPanels>
UNROLL_INLINE void multiply_columns(const float* left, const float* const (&panels)[kPanels], int64_t step,
                                    int64_t size, float* tile) {
  Vec sums[kPanels];
#pragma GCC unroll 4
  for (int p = 0; p < kPanels; ++p) sums[p] = broadcast(0.0f);
  for (int64_t k = 0; k < size; k += kQuad) {
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) {
      Vec lines[kQuad];
      load_transposed(panels[p] + k, step, lines);
#pragma GCC unroll 4
      for (int i = 0; i < kQuad; ++i) add_product(broadcast(left[k + i]), lines[i], sums[p]);
    }
  }
#pragma GCC unroll 4
  for (int p = 0; p < kPanels; ++p) store(tile + p * kPanel, sums[p]);
}

/// A panel that cannot be read as it is, by way of L1.
inline void multiply_packed(const float* left, const Panels& weight, int64_t panel, Range k, float* tile) {
  alignas(64) float lines[kBlock * kPanel];
  const PackedPanel packed{weight.columns_of(panel), lines, kPanel};
  if (weight.form == WeightForm::kTransposed) {
    pack_transposed(weight.data + k.begin, weight.k_size(), k.size(), packed);
  } else {
    pack_rows(k.size(), RowsOf{weight.data + k.begin * weight.columns, weight.columns}, &packed, 1);
  }
  multiply_lines<1>(left, {lines}, kPanel, k.size(), tile);
}

/// A block of k of one row and the next panels; returns how many. So many that their sums do not wait for each other
/// are read as they are, if there are so many and all are 16 columns wide and, where they are transposed, of whole
/// quads.
template <bool kTransposed>
int64_t multiply_next(const float* left, const Panels& weight, Range panel_range, Range k, float* tile) {
  constexpr int kPanels = kTransposed && kMostPanels > 1 ? 2 : kMostPanels;
  const int64_t step = kTransposed ? weight.k_size() : weight.columns;
  const float* panels[kPanels];
  bool whole = panel_range.size() >= kPanels && (!kTransposed || k.size() % kQuad == 0);
  for (int p = 0; whole && p < kPanels; ++p) {
    const PanelColumns columns = weight.columns_of(panel_range.begin + p);
    panels[p] = weight.data + (kTransposed ? columns.first * step + k.begin : k.begin * step + columns.first);
    whole = columns.width == kPanel;
  }
  if (!whole) {
    multiply_packed(left, weight, panel_range.begin, k, tile);
    return 1;
  }
  if constexpr (kTransposed) {
    multiply_columns(left, panels, step, k.size(), tile);
  } else {
    multiply_lines(left, panels, step, k.size(), tile);
  }
  return kPanels;
}

/// One k block of a product with a weight as it is. Not inlined: few calls want it.
__attribute__((noinline)) inline void multiply_plain(const Product& product, Range k, Range panel_range,
                                                     const Starts& start) {
  product.rows.for_each([&](const RowRange& range) {
    for (int64_t r = 0; r < range.count; ++r) {
      const float* const left = product.left.at(range.from + r, k.begin);
      for (Range rest = panel_range; rest.size() > 0;) {
        alignas(64) float tile[kMostPanels * kPanel];
        const int64_t count = product.right.form == WeightForm::kTransposed
                                  ? multiply_next<true>(left, product.right, rest, k, tile)
                                  : multiply_next<false>(left, product.right, rest, k, tile);
        Start starts[kMostPanels];
        start.of_panels(rest.begin, count, starts);
        store_part(tile, count, starts, range.to + r, product.out.from(0, rest.begin * kPanel));
        rest.begin += count;
      }
    }
  });
}

}  // namespace unroll::UNROLL_ISA
