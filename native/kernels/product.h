#pragma once

/// What a matrix product is of: rows of a left operand, panels of a right one, start values, and where it goes.

#include "kernels/near_cache.h"
#include "kernels/split.h"
#include "kernels/tile.h"

namespace unroll::UNROLL_ISA {

/// Neighbouring rows of a product: rows `from` of the left operand give rows `to` of the result.
struct RowRange {
  int64_t from, to, count;

  UNROLL_INLINE bool precedes(const RowRange& next) const { return next.from == from + count && next.to == to + count; }
};

/// Row ranges that share one pass over the panels.
struct RowRanges {
  const RowRange* data;
  int64_t count;

  template <class Body>
  UNROLL_INLINE void for_each(const Body& body) const {
    for (int64_t i = 0; i < count; ++i) body(data[i]);
  }
  int64_t most_rows_of_tile() const {
    int64_t most = 0;
    for_each([&](const RowRange& range) { most = larger(most, RowTiles(range.count).most_rows()); });
    return most;
  }
  int64_t tiles() const {
    int64_t total = 0;
    for_each([&](const RowRange& range) { total += RowTiles(range.count).count; });
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
      starts[i] = each != nullptr
                      ? each[first + i]
                      : start_or_nothing(data == nullptr ? nullptr : data + column, stride, columns - column);
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

  UNROLL_INLINE Left<false> at(int64_t row, int64_t k) const { return {data + row * stride + k, stride}; }
};

/// Panels of a right operand [k_size][...], `stride` floats apart.
struct Panels {
  const float* data;
  int64_t stride, k_size;
  bool far;
  const float* next = nullptr;  ///< what is read after a product; null if the same panels are read again

  UNROLL_INLINE PanelBlock block(int64_t panel, Range k) const {
    return {data + panel * stride + k.begin * kPanel, stride, k.size()};
  }
};

/// All panels of an operand, one after the other.
inline Panels all_panels(const float* data, int64_t k_size, int64_t columns) {
  return {data, kPanel * k_size, k_size, k_size * columns * static_cast<int64_t>(sizeof(float)) > near_bytes()};
}

/// out = start + left * right for some rows; start may be `out`.
struct Product {
  LeftRows left;
  Panels right;
  RowRanges rows;
  Starts start;
  Outputs out;
};

}  // namespace unroll::UNROLL_ISA
