#pragma once

/// Moves rows between the packed form of a batch (step by step, all sequences of a step together) and the forms that
/// callers hold: one sequence after the other, or padded.

#include <type_traits>

#include "kernels/kernels.h"
#include "kernels/segments.h"
#include "kernels/split.h"

namespace unroll::UNROLL_ISA {

/// Rows to be read that lie apart are fetched this many ahead: the processor does not foresee them, but it foresees
/// what follows the beginning of a row. Rows to be written are not fetched: it need not wait for them.
constexpr int64_t kRowsAhead = 4;
constexpr int64_t kFetchedOfRow = 128;

/// Copies rows of kLanes floats or more, in whole registers: the last move overlaps the one before it, so that there is
/// no loop over single floats and nothing beyond the row is touched.
struct WideRows {
  int64_t size;
  UNROLL_INLINE void fetch(const float* row) const {
    for (int64_t i = 0; i < smaller(size, kFetchedOfRow); i += kLanes) __builtin_prefetch(row + i);
  }
  UNROLL_INLINE void operator()(const float* from, float* to) const {
    int64_t i = 0;
    for (; i + kLanes <= size; i += kLanes) store(to + i, load(from + i));
    if (i < size) store(to + size - kLanes, load(from + size - kLanes));
  }
};

/// Copies rows of exactly kSize floats; several share a line, so that most are there already.
template <int kSize>
struct ExactRows {
  static constexpr int64_t size = kSize;
  UNROLL_INLINE void fetch(const float*) const {}
  UNROLL_INLINE void operator()(const float* from, float* to) const {
    __builtin_memcpy(to, from, kSize * sizeof(float));
  }
};

/// Copies rows of kEnd to 2 kEnd floats by their two ends.
template <int kEnd>
struct NarrowRows {
  int64_t size;
  UNROLL_INLINE void fetch(const float*) const {}
  UNROLL_INLINE void operator()(const float* from, float* to) const {
    __builtin_memcpy(to, from, kEnd * sizeof(float));
    __builtin_memcpy(to + size - kEnd, from + size - kEnd, kEnd * sizeof(float));
  }
};

/// Calls body(copy) where copy(from, to) moves a row of `features` floats.
template <class Body>
void with_row_copy(int64_t features, const Body& body) {
  switch (features) {
    case 1:
      return body(ExactRows<1>{});
    case 2:
      return body(ExactRows<2>{});
    case 4:
      return body(ExactRows<4>{});
    case 8:
      return body(ExactRows<8>{});
  }
  if (features >= kLanes) return body(WideRows{features});
  if (features > 8) return body(NarrowRows<8>{features});
  if (features > 4) return body(NarrowRows<4>{features});
  body(NarrowRows<2>{features});
}

/// Calls body(row of the sequence, packed row, packed row to come) for every step of a sequence.
template <class Float, class OtherFloat, class Body>
UNROLL_INLINE void for_each_row_of_sequence(const int32_t* offsets, int64_t sequence, int64_t length, int64_t features,
                                            Float* sequence_rows, OtherFloat* packed, const Body& body) {
  OtherFloat* const first = packed + sequence * features;
  for (int64_t t = 0; t < length; ++t) {
    OtherFloat* const to_come = first + offsets[smaller(t + kRowsAhead, length - 1)] * features;
    body(sequence_rows + t * features, first + offsets[t] * features, to_come);
  }
}

inline void pack_sequence(const int32_t* offsets, int64_t sequence, int64_t length, int64_t features,
                          const float* sequence_rows, float* packed) {
  with_row_copy(features, [=](auto copy) {
    for_each_row_of_sequence(offsets, sequence, length, copy.size, sequence_rows, packed,
                             [=](const float* row, float* packed_row, float*) { copy(row, packed_row); });
  });
}

inline void unpack_sequence(const int32_t* offsets, int64_t sequence, int64_t length, int64_t features,
                            const float* packed, float* sequence_rows) {
  with_row_copy(features, [=](auto copy) {
    for_each_row_of_sequence(offsets, sequence, length, copy.size, sequence_rows, packed,
                             [=](float* row, const float* packed_row, const float* to_come) {
                               copy.fetch(to_come);
                               copy(packed_row, row);
                             });
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

/// Calls body(cell, cell to come, p) for the given sequences of a step, where a cell is a pointer to the padded batch.
template <class Float, class Body>
UNROLL_INLINE void for_each_cell(const PaddedRows& rows, Float* padded, int64_t t, Range sequences, const Body& body) {
  Float* const step = padded + t * rows.step_stride;
  const int32_t* const order = rows.steps.order;  // copies: what the body writes might be the struct, for all gcc knows
  const int64_t stride = rows.sequence_stride, last = sequences.end - 1;
  for (int64_t p = sequences.begin; p < sequences.end; ++p) {
    body(step + order[p] * stride, step + order[smaller(p + kRowsAhead, last)] * stride, p);
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
      for_each_cell(rows, padded, t, real, [=](const float* cell, const float* to_come, int64_t p) {
        copy.fetch(to_come);
        copy(cell, to + p * copy.size);
      });
    });
  });
}

inline void unpack_padded(const PaddedRows& rows, const float* packed, float padding, float* padded, Parallel& pool) {
  with_row_copy(rows.features, [&](auto copy) {
    for_each_padded_step(rows, pool, [&, copy](int64_t t, Range real, Range others) {
      const float* const from = packed_step(rows, packed, t);
      for_each_cell(rows, padded, t, real, [=](float* cell, float*, int64_t p) { copy(from + p * copy.size, cell); });
      for_each_cell(rows, padded, t, others, [=](float* cell, float*, int64_t) {
        for (int64_t j = 0; j < copy.size; ++j) cell[j] = padding;
      });
    });
  });
}

}  // namespace unroll::UNROLL_ISA
