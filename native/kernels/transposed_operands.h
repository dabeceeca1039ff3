#pragma once

/// What products of transposed matrices are of: right operands, left operands, and how both are packed.

#include "kernels/matmul.h"
#include "kernels/packed_sums.h"

namespace unroll::UNROLL_ISA {

/// A right operand, rows of `columns` floats, and what its products are added to: c [outputs][columns], rows `ldc`
/// floats apart.
struct RightOperand {
  Rows rows;
  int64_t columns;
  float* c;
  int64_t ldc;

  int64_t panels() const { return divide_up(columns, kPanel); }
};

/// Right operands and left ones of products that are computed together.
constexpr int kMostTogether = 3;

/// Right operands: their panels follow one another.
struct RightOperands {
  RightOperand data[kMostTogether];
  int64_t count;

  void add(const RightOperand& operand) { data[count++] = operand; }

  int64_t panels() const { return panels_before(count); }

  /// Those of some of the operands.
  Range panels_of(Range operands) const { return {panels_before(operands.begin), panels_before(operands.end)}; }

  int64_t panels_before(int64_t operand) const {
    int64_t total = 0;
    for (int64_t i = 0; i < operand; ++i) total += data[i].panels();
    return total;
  }

  /// Calls body(part of an operand, first panel of it in `panels`) for all that has panels there.
  template <class Body>
  UNROLL_INLINE void for_each(Range panels, const Body& body) const {
    int64_t start = 0;
    for (int64_t i = 0; i < count; start += data[i++].panels()) {
      const Range some = intersection(panels, {start, start + data[i].panels()});
      if (some.size() == 0) continue;
      RightOperand part = data[i];
      const int64_t first = some.begin - start;
      part.rows.data += first * kPanel;
      part.c += first * kPanel;
      part.columns = smaller((some.end - start) * kPanel, part.columns) - first * kPanel;
      body(part, some.begin - panels.begin);
    }
  }
};

/// A left operand, the first `outputs` columns of rows, and which right operands it is multiplied by. The products are
/// added to rows `to`, `to` + 1, ... of their c, the sums of its columns to `sums`.
struct LeftOperand {
  Rows rows;
  int64_t outputs;
  Range rights;
  int64_t to;
  SumsOfColumns sums;

  int64_t output_panels() const { return divide_up(outputs, kPanel); }
};

struct LeftOperands {
  LeftOperand data[kMostTogether];
  int64_t count;

  void add(const LeftOperand& operand) { data[count++] = operand; }
};

/// Columns of the right operand that are packed at once; for each time the left one is packed anew. Where a tile takes
/// several panels, each group is read from beyond L2 once for kTransposedRows outputs, which is seldom enough. Else
/// both stay in L2, 352 KiB.
constexpr int64_t kTransposedColumns = kMostBeside > 1 ? 1024 : 256;

template <int kCount>
UNROLL_INLINE void copy_exactly(const float* from, float* to) {
  __builtin_memcpy(to, from, kCount * sizeof(float));
}

/// Tiles of kTileRows outputs: element (k, r) of tile i at [i][k][r], so that a tile reads one contiguous stream.
__attribute__((noinline)) inline void pack_left_transposed(const Rows& a, Range k, Range outputs, float* packed) {
  const RowTiles tiles(outputs.size());
  with_constant<kTileRows>(tiles.height, [&]<int kHeight>() {
    for (int64_t n = k.begin; n < k.end; ++n) {
      fetch_row(a, smaller(n + kSummedAhead, k.end - 1), outputs);
      const float* from = a.row(n) + outputs.begin;
      float* to = packed + (n - k.begin) * kTileRows;
      for (int64_t tile = 0; tile < tiles.higher; ++tile, from += kHeight + 1, to += kPackedTile) {
        copy_exactly<kHeight + 1>(from, to);
      }
      for (int64_t tile = tiles.higher; tile < tiles.count; ++tile, from += kHeight, to += kPackedTile) {
        copy_exactly<kHeight>(from, to);
      }
    }
  });
}

/// The panels of a part of the right operand in scratch.
inline PanelLayout packed_layout(const RightOperand& part) { return {kBlock, part.panels(), kMostBeside}; }

/// Rows k of a part of the right operand, at most kTransposedColumns of it.
__attribute__((noinline)) inline void pack_right(const RightOperand& part, Range k, float* packed) {
  const PanelLayout layout = packed_layout(part);
  PackedPanel panels[kTransposedColumns / kPanel];
  for (int64_t p = 0; p < layout.panels; ++p) {
    const PanelLayout::Place place = layout.place_of(p);
    panels[p] = {columns_of_panel(p, part.columns, 1), packed + place.begin, place.step};
  }
  pack_rows(
      k.size(), [&](int64_t n) { return part.rows.row(k.begin + n); }, panels, layout.panels);
}

}  // namespace unroll::UNROLL_ISA
