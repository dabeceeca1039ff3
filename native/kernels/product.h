#pragma once

/// What a matrix product is of: rows of a left operand, panels of a right one, start values, and where it goes.

#include "kernels/kernels.h"
#include "kernels/near_cache.h"
#include "kernels/panel_layout.h"

namespace unroll::UNROLL_ISA {

/// Neighbouring rows of a product: rows `from` of the left operand give rows `to` of the result.
struct RowRange {
  int64_t from, to, count;

  UNROLL_INLINE bool precedes(const RowRange& next) const { return next.from == from + count && next.to == to + count; }
};

/// Row ranges that share one pass over the panels: one at least, none of them empty unless it is the only one.
struct RowRanges {
  const RowRange* data;
  int64_t count;

  template <class Body>
  UNROLL_INLINE void for_each(const Body& body) const {
    for (int64_t i = 0; i < count; ++i) body(data[i]);
  }
  UNROLL_INLINE int64_t rows() const {
    int64_t total = data[0].count;
    for (int64_t i = 1; i < count; ++i) total += data[i].count;
    return total;
  }
};

/// Start values of a product's outputs.
struct Starts {
  const float* data;  ///< of all panels side by side: rows of a matrix, one row for all (stride 0), or nothing (null)
  int64_t stride, columns;
  const Start* each;  ///< or, unless null, one for each panel

  /// Of a group of panels, for its tiles.
  UNROLL_INLINE void of_panels(int64_t first, int64_t count, Start* starts) const {
    for (int64_t i = 0; i < count; ++i) {
      const int64_t column = (first + i) * kPanel;
      starts[i] = each != nullptr ? each[first + i]
                                  : start_or_nothing(data == nullptr ? nullptr : data + column, stride,
                                                     first_lanes(data == nullptr ? 0 : columns - column));
    }
  }
};

inline Starts side_by_side(const float* data, int64_t stride, int64_t columns) {
  return {data, stride, columns, nullptr};
}

/// Rows of a left operand, `stride` floats apart.
struct LeftRows {
  const float* data;
  int64_t stride;

  UNROLL_INLINE const float* at(int64_t row, int64_t k) const { return data + row * stride + k; }
};

/// Panels of a right operand: those from `first` on, each the `each`-th.
struct Panels {
  const float* data;
  PanelLayout layout;
  bool far;
  WeightForm form = WeightForm::kPanels;
  int16_t gates = 1;    ///< of a weight as it is, like its columns: see columns_of_panel()
  int32_t columns = 0;  ///< in few bytes, for a single step is short enough to notice them
  int64_t first = 0, each = 1;
  bool descending = false;  ///< whether a tile that has all rows begins with the last panels
  int64_t next = kSame;     ///< the panel of the operand that is read after a product

  static constexpr int64_t kSame = -1;  ///< the first of those of the product again

  int64_t k_size() const { return layout.k_size; }

  PanelColumns columns_of(int64_t panel) const { return columns_of_panel(first + panel * each, columns, gates); }

  /// Those from `panel` on.
  Panels from(int64_t panel) const {
    Panels result = *this;
    result.first += panel * each;
    return result;
  }
  UNROLL_INLINE PanelBlock block(int64_t panel, Range k) const {
    return layout.block(data, first + panel * each, each, k);
  }
  /// What is read after a block of k of some of the panels before `end`: the panels after them, or the next block of
  /// all, or what follows the product. Not inlined: only far operands want it.
  __attribute__((noinline)) PanelBlock block_after(Range panels, int64_t end, Range k) const {
    if (panels.end < end) return block(panels.end, k);
    if (k.end < k_size()) return block(panels.begin, {k.end, smaller(k.end + kBlock, k_size())});
    const Range start{0, smaller(kBlock, k_size())};
    return next == kSame ? block(panels.begin, start) : layout.block(data, next, each, start);
  }
  /// How many panels a tile takes of those from `panel` to `end`: at most `most`, which no group exceeds, and of one
  /// group.
  UNROLL_INLINE int64_t at_once(int64_t panel, int64_t end, int64_t most) const {
    if (layout.beside == 1 || each > 1) return next_group(end - panel, most);
    return smaller(layout.group_of(first + panel).end() - first, end) - panel;
  }
  /// Takes the panels of the next tile from the rest: the first ones or, descending, the last.
  UNROLL_INLINE Range take_tile(Range& rest, int64_t most) const {
    if (!descending) {
      const int64_t begin = rest.begin;
      rest.begin += at_once(begin, rest.end, most);
      return {begin, rest.begin};
    }
    const int64_t end = rest.end;
    rest.end = layout.beside == 1 || each > 1 ? end - next_group(rest.size(), most)
                                              : larger(layout.group_of(first + end - 1).first - first, rest.begin);
    return {rest.end, end};
  }

  /// For one of the steps that all multiply by them: every second one begins with what the step before left in a nearer
  /// cache. From L2 that gains nothing where panels lie beside each other, for one stream is as fast as from L1.
  Panels of_step(int64_t step) const {
    Panels result = *this;
    result.descending = step % 2 != 0 && (far || (layout.beside == 1 && layout.bytes() > kStaysInL1));
    return result;
  }
};

/// All panels of an operand, those of some gates interleaved.
UNROLL_INLINE Panels all_panels(const float* data, int64_t k_size, int64_t columns, int64_t gates) {
  const PanelLayout layout = panel_layout(k_size, count_of_panels(columns, gates), gates);
  return {data, layout, layout.bytes() > near_bytes()};
}

/// The same of a weight as it is.
inline Panels plain_panels(const float* data, int64_t k_size, int64_t columns, int64_t gates, WeightForm form) {
  return {data,
          {k_size, count_of_panels(columns, gates), 1},
          false,
          form,
          static_cast<int16_t>(gates),
          static_cast<int32_t>(columns)};
}

/// out = start + left * right for some rows; start may be `out`.
struct Product {
  LeftRows left;
  Panels right;
  RowRanges rows;
  Starts start;
  Outputs out;

  /// What later blocks of k are added to.
  Starts sums() const { return side_by_side(out.data, out.stride, out.columns); }
};

}  // namespace unroll::UNROLL_ISA
