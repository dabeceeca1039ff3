#pragma once

/// Products of few rows with a weight as it is: to pack one takes longer than to multiply by it once.

#include "kernels/panels.h"
#include "kernels/product.h"

namespace unroll::UNROLL_ISA {

/// Rows that are multiplied at once by what is read of a weight.
constexpr int kPlainRows = 4;

/// Panels at once: so many sums are independent.
template <int kRows, bool kTransposed>
constexpr int kPlainPanels = kRows > 1     ? 1
                             : kTransposed ? 2
                                           : 4;

/// Adds the products of rows with lines of 16 columns, those of a panel `step` floats apart.
template <int kRows, int kPanels>
UNROLL_INLINE void add_lines(const Left<false>& left, const float* const (&panels)[kPanels], int64_t step, int64_t k,
                             Accumulators<kRows, kPanels>& sums) {
#pragma GCC unroll 4
  for (int p = 0; p < kPanels; ++p) {
    const Vec line = load(panels[p] + k * step);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) add_product(broadcast(left.at(r, k)), line, sums.sum[r][p]);
  }
}

/// Likewise with 4 lines, the columns of 16 rows that are `step` floats apart.
template <int kRows, int kPanels>
UNROLL_INLINE void add_columns(const Left<false>& left, const float* const (&panels)[kPanels], int64_t step, int64_t k,
                               Accumulators<kRows, kPanels>& sums) {
#pragma GCC unroll 4
  for (int p = 0; p < kPanels; ++p) {
    Vec lines[kQuad];
    load_transposed(panels[p] + k, step, lines);
#pragma GCC unroll 4
    for (int i = 0; i < kQuad; ++i) {
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) add_product(broadcast(left.at(r, k + i)), lines[i], sums.sum[r][p]);
    }
  }
}

/// The outputs of some rows and panels, in the contract's order; add_block(k, left, sums) adds a block of k.
template <int kRows, int kPanels, class AddBlock>
void sum_panels(const Product& product, const RowRange& rows, int64_t panel, const AddBlock& add_block) {
  using Sums = Accumulators<kRows, kPanels>;
  const auto for_each = [](const auto& body) UNROLL_INLINE_LAMBDA {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int p = 0; p < kPanels; ++p) body(r, p);
    }
  };
  Start starts[kPanels];
  product.start.of_panels(panel, kPanels, starts);
  Sums total;
  for_each([&](int r, int p) UNROLL_INLINE_LAMBDA {
    total.sum[r][p] = load_partial(starts[p].data + (rows.to + r) * starts[p].stride, starts[p].columns);
  });
  const int64_t k_size = product.right.k_size();
  for (int64_t group = 0; group < k_size; group += kGroup) {
    Sums of_group = total;
    if (group > 0) for_each([&](int r, int p) UNROLL_INLINE_LAMBDA { of_group.sum[r][p] = load(kNoStart); });
    const int64_t end = smaller(group + kGroup, k_size);
    for (int64_t k = group; k < end; k += kBlock) {
      Sums of_block;
      for_each([&](int r, int p) UNROLL_INLINE_LAMBDA { of_block.sum[r][p] = broadcast(0.0f); });
      add_block(Range{k, smaller(k + kBlock, end)}, product.left.at(rows.from, k), of_block);
      for_each([&](int r, int p)
                   UNROLL_INLINE_LAMBDA { of_group.sum[r][p] = of_group.sum[r][p] + of_block.sum[r][p]; });
    }
    for_each([&](int r, int p) UNROLL_INLINE_LAMBDA {
      total.sum[r][p] = group == 0 ? of_group.sum[r][p] : total.sum[r][p] + of_group.sum[r][p];
    });
  }
  const Outputs out = product.out.from(rows.to, panel * kPanel);
  for_each([&](int r, int p) UNROLL_INLINE_LAMBDA {
    store_columns(out.data + r * out.stride + p * kPanel, total.sum[r][p], out.of_panel(p));
  });
}

/// Some rows of a product with a weight, panel by panel. Panels that cannot be read as they are, 16 columns wide and of
/// whole quads of what is transposed, are packed into L1.
template <int kRows, bool kTransposed>
void multiply_plain_rows(const Product& product, const RowRange& rows, Range panel_range) {
  constexpr int kPanels = kPlainPanels<kRows, kTransposed>;
  const Panels& weight = product.right;
  const int64_t step = kTransposed ? weight.k_size() : weight.columns;
  for (int64_t panel = panel_range.begin; panel < panel_range.end;) {
    const float* places[kPanels];
    bool whole = panel + kPanels <= panel_range.end && (!kTransposed || weight.k_size() % kQuad == 0);
    for (int p = 0; whole && p < kPanels; ++p) {
      const PanelColumns columns = weight.columns_of(panel + p);
      places[p] = weight.data + columns.first * (kTransposed ? step : 1);
      whole = columns.width == kPanel;
    }
    if (whole) {
      sum_panels<kRows, kPanels>(product, rows, panel, [&](Range k, const Left<false>& left, auto& sums) {
        const float* blocks[kPanels];
        for (int p = 0; p < kPanels; ++p) blocks[p] = places[p] + k.begin * (kTransposed ? 1 : step);
        if constexpr (kTransposed) {
          for (int64_t i = 0; i < k.size(); i += kQuad) add_columns(left, blocks, step, i, sums);
        } else {
          for (int64_t i = 0; i < k.size(); ++i) add_lines(left, blocks, step, i, sums);
        }
      });
      panel += kPanels;
    } else {
      sum_panels<kRows, 1>(product, rows, panel, [&](Range k, const Left<false>& left, auto& sums) {
        alignas(64) float lines[kBlock * kPanel];
        const PackedPanel packed{weight.columns_of(panel), lines, kPanel};
        if constexpr (kTransposed) {
          pack_transposed(weight.data + k.begin, step, k.size(), packed);
        } else {
          pack_plain(
              k.size(), [&](int64_t i) { return weight.data + (k.begin + i) * step; }, &packed, 1);
        }
        const float* const blocks[] = {lines};
        for (int64_t i = 0; i < k.size(); ++i) add_lines(left, blocks, kPanel, i, sums);
      });
      ++panel;
    }
  }
}

/// A product with a weight as it is. Not inlined: few calls want it.
__attribute__((noinline)) inline void multiply_plain(const Product& product, Range panel_range) {
  product.rows.for_each([&](const RowRange& range) {
    for (int64_t row = 0; row < range.count; row += kPlainRows) {
      const RowRange rows{range.from + row, range.to + row, smaller(kPlainRows, range.count - row)};
      with_constant<kPlainRows>(rows.count, [&]<int kRows>() {
        if (product.right.form == Panels::kTransposed) {
          multiply_plain_rows<kRows, true>(product, rows, panel_range);
        } else {
          multiply_plain_rows<kRows, false>(product, rows, panel_range);
        }
      });
    }
  });
}

}  // namespace unroll::UNROLL_ISA
