#pragma once

/// The order in which sums over packed rows take them: step by step, within a step the sequences longest first, those
/// of equal length by what they hold. The packed order itself has them in the caller's order, on which no sum may
/// depend.

#include <algorithm>
#include <bit>

#include "kernels/segments.h"

namespace unroll::UNROLL_ISA {

/// Rows to compare sequences by: rows of `columns` floats, `stride` apart.
struct RowKey {
  const float* data;
  int64_t stride, columns;
  bool of_sequences;               ///< one row a sequence, in packed order, not one a step
  const int32_t* index = nullptr;  ///< unless null, the row of `data` that stands for each row

  UNROLL_INLINE const float* row(int64_t n) const { return data + (index == nullptr ? n : index[n]) * stride; }
};

/// Any total order of the bits serves; all NaNs count as one, for their bits are not part of the contract.
UNROLL_INLINE uint32_t comparable(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  return (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : bits;
}

/// Compares two rows of a key: below, equal or above zero.
inline int compare_rows(const RowKey& key, int64_t one, int64_t other) {
  const float *a = key.row(one), *b = key.row(other);
  for (int64_t j = 0; j < key.columns; ++j) {
    const uint32_t x = comparable(a[j]), y = comparable(b[j]);
    if (x != y) return x < y ? -1 : 1;
  }
  return 0;
}

/// Whether sequence `one` comes before another of the same length. Sequences that are equal in every key may take any
/// order: each term of the sums is the same.
template <int kKeys>
bool comes_before(const Steps& steps, const RowKey (&keys)[kKeys], int64_t length, int32_t one, int32_t other) {
  for (const RowKey& key : keys) {
    const int64_t rows = key.data == nullptr ? 0 : key.of_sequences ? 1 : length;
    for (int64_t t = 0; t < rows; ++t) {
      const int64_t first = key.of_sequences ? 0 : steps.offsets[t];
      if (const int order = compare_rows(key, first + one, first + other); order != 0) return order < 0;
    }
  }
  return false;
}

/// rows[n] = the packed row that is the n-th of a sum; returns whether that differs from n anywhere.
template <int kKeys>
bool order_rows(const Steps& steps, const RowKey (&keys)[kKeys], int32_t* rows) {
  const int64_t sequences = rows_of_step(steps, 0);
  for (int64_t b = 0; b < sequences; ++b) rows[b] = static_cast<int32_t>(b);
  // Rows of the first step are the sequences themselves; those of the lengths t + 1 are the last that step t has.
  bool changed = false;
  for (int64_t t = 0; t < steps.count; ++t) {
    int32_t *const begin = rows + rows_of_step(steps, t + 1), *const end = rows + rows_of_step(steps, t);
    const auto before = [&](int32_t one, int32_t other) { return comes_before(steps, keys, t + 1, one, other); };
    if (std::is_sorted(begin, end, before)) continue;
    // Unlike std::sort, a heap stays within its bounds even if the rows, which may be a caller's buffer, change
    // meanwhile.
    std::make_heap(begin, end, before);
    std::sort_heap(begin, end, before);
    changed = true;
  }
  if (!changed) return false;
  for (int64_t t = 1; t < steps.count; ++t) {
    const int32_t first = steps.offsets[t];
    for (int64_t b = 0; b < rows_of_step(steps, t); ++b) rows[first + b] = first + rows[b];
  }
  return true;
}

inline bool row_order(const Steps& steps, const float* a, int64_t a_columns, const float* b, int64_t b_columns,
                      int32_t* rows) {
  const RowKey keys[] = {{a, a_columns, a_columns, false}, {b, b_columns, b_columns, false}};
  return order_rows(steps, keys, rows);
}

}  // namespace unroll::UNROLL_ISA
