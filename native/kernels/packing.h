#pragma once

/// Moves rows between the packed form of a batch (step by step, all sequences of a step together) and the forms that
/// callers hold: one sequence after the other, or padded.

#include <type_traits>

#include "kernels/kernels.h"
#include "kernels/segments.h"
#include "kernels/split.h"

namespace unroll::UNROLL_ISA {

/// Copies rows of a length that is known only at run time, kLanes or more, or kEnd to 2 kEnd floats: the last move
/// overlaps the one before it, so that there is no loop over single floats and nothing beyond the row is touched.
struct WideRows {
  int64_t size;
  UNROLL_INLINE void operator()(const float* from, float* to) const {
    int64_t i = 0;
    for (; i + kLanes <= size; i += kLanes) store(to + i, load(from + i));
    if (i < size) store(to + size - kLanes, load(from + size - kLanes));
  }
};
template <int kEnd>
struct NarrowRows {
  int64_t size;
  UNROLL_INLINE void operator()(const float* from, float* to) const {
    __builtin_memcpy(to, from, kEnd * sizeof(float));
    if constexpr (kEnd > 1) __builtin_memcpy(to + size - kEnd, from + size - kEnd, kEnd * sizeof(float));
  }
};

/// Calls body(copy) where copy(from, to) moves a row of `features` floats.
template <class Body>
void with_row_copy(int64_t features, const Body& body) {
  if (features >= kLanes) return body(WideRows{features});
  if (features >= 8) return body(NarrowRows<8>{features});
  if (features >= 4) return body(NarrowRows<4>{features});
  if (features >= 2) return body(NarrowRows<2>{features});
  body(NarrowRows<1>{features});
}

/// Rows to be read that lie apart are fetched this many ahead: the processor does not foresee them. Those to be written
/// are not: it need not wait for them. It foresees itself what follows the beginning of a row.
constexpr int64_t kRowsAhead = 4;
constexpr int64_t kFetchedOfRow = 128;

UNROLL_INLINE void fetch_row(const float* row, int64_t features) {
  for (int64_t i = 0; i < smaller(features, kFetchedOfRow); i += kLanes) __builtin_prefetch(row + i);
}

/// Calls copy(row of the sequence, packed row) for every step of a sequence.
template <class Float, class OtherFloat, class Body>
UNROLL_INLINE void for_each_row_of_sequence(const int32_t* offsets, int64_t sequence, int64_t length, int64_t features,
                                            Float* sequence_rows, OtherFloat* packed, const Body& body) {
  OtherFloat* const first = packed + sequence * features;
  for (int64_t t = 0; t < length; ++t) {
    if constexpr (std::is_const_v<OtherFloat>) {
      fetch_row(first + offsets[smaller(t + kRowsAhead, length - 1)] * features, features);
    }
    body(sequence_rows + t * features, first + offsets[t] * features);
  }
}

inline void pack_sequence(const int32_t* offsets, int64_t sequence, int64_t length, int64_t features,
                          const float* sequence_rows, float* packed) {
  with_row_copy(features, [=](auto copy) {
    for_each_row_of_sequence(offsets, sequence, length, features, sequence_rows, packed,
                             [=](const float* row, float* packed_row) { copy(row, packed_row); });
  });
}

inline void unpack_sequence(const int32_t* offsets, int64_t sequence, int64_t length, int64_t features,
                            const float* packed, float* sequence_rows) {
  with_row_copy(features, [=](auto copy) {
    for_each_row_of_sequence(offsets, sequence, length, features, sequence_rows, packed,
                             [=](float* row, const float* packed_row) { copy(packed_row, row); });
  });
}

/// Calls body(t, sequences) for every step of the cells in `cells`, ascending; cell t * B + p is step t of the packed
/// sequence p.
template <class Body>
UNROLL_INLINE void for_each_step_of(const Steps& steps, Range cells, const Body& body) {
  for (int64_t cell = cells.begin; cell < cells.end;) {
    const int64_t t = cell / steps.sequences, first = cell % steps.sequences;
    const int64_t last = smaller(steps.sequences, first + cells.end - cell);
    body(t, Range{first, last});
    cell += last - first;
  }
}

/// Calls body(cell, p) for the given sequences of a step, where `cell` points to theirs in the padded batch.
template <class Float, class Body>
UNROLL_INLINE void for_each_cell(const PaddedRows& rows, Float* padded, int64_t t, Range sequences, const Body& body) {
  Float* const step = padded + t * rows.step_stride;
  const int32_t* const order = rows.steps.order;  // copies: what the body writes might be the struct, for all gcc knows
  const int64_t stride = rows.sequence_stride, last = sequences.end - 1;
  for (int64_t p = sequences.begin; p < sequences.end; ++p) {
    if constexpr (std::is_const_v<Float>) {
      fetch_row(step + order[smaller(p + kRowsAhead, last)] * stride, rows.features);
    }
    body(step + order[p] * stride, p);
  }
}

/// First packed row of a step, or any row of a step that no sequence has.
template <class Float>
UNROLL_INLINE Float* packed_step(const PaddedRows& rows, Float* packed, int64_t t) {
  return packed + (t < rows.steps.count ? rows.steps.offsets[t] : 0) * rows.features;
}

/// Calls body(t, real, others) for every step of the cells to be moved, on the threads of the pool: the sequences that
/// have the step and those that do not.
template <class Body>
void for_each_padded_step(const PaddedRows& rows, Parallel& pool, const Body& body) {
  parallel_ranges(pool, rows.cells, rows.features, [&](Range part) {
    const Range cells{rows.first_cell + part.begin, rows.first_cell + part.end};
    for_each_step_of(rows.steps, cells, [&](int64_t t, Range sequences) {
      const int64_t present = rows_of_step(rows.steps, t);
      body(t, intersection(sequences, {0, present}), intersection(sequences, {present, rows.steps.sequences}));
    });
  });
}

inline void pack_padded(const PaddedRows& rows, const float* padded, float* packed, Parallel& pool) {
  with_row_copy(rows.features, [&](auto copy) {
    for_each_padded_step(rows, pool, [&, copy](int64_t t, Range real, Range) {
      float* const to = packed_step(rows, packed, t);
      for_each_cell(rows, padded, t, real, [=](const float* cell, int64_t p) { copy(cell, to + p * copy.size); });
    });
  });
}

inline void unpack_padded(const PaddedRows& rows, const float* packed, float padding, float* padded, Parallel& pool) {
  with_row_copy(rows.features, [&](auto copy) {
    for_each_padded_step(rows, pool, [&, copy](int64_t t, Range real, Range others) {
      const float* const from = packed_step(rows, packed, t);
      for_each_cell(rows, padded, t, real, [=](float* cell, int64_t p) { copy(from + p * copy.size, cell); });
      for_each_cell(rows, padded, t, others, [=](float* cell, int64_t) {
        for (int64_t j = 0; j < copy.size; ++j) cell[j] = padding;
      });
    });
  });
}

}  // namespace unroll::UNROLL_ISA
