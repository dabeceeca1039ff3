#pragma once

/// Walks the packed rows of a batch step by step, in either direction of time.
///
/// The states of one direction stand in one buffer of B + N rows: first the initial state of every sequence, then the
/// output of every packed row. So the state before a row is always another row of the same buffer.

#include "kernels/kernels.h"
#include "kernels/split.h"

namespace unroll::UNROLL_ISA {

UNROLL_INLINE int64_t rows_of_step(const Steps& steps, int64_t t) {
  return t < steps.count ? steps.offsets[t + 1] - steps.offsets[t] : 0;
}
UNROLL_INLINE int64_t packed_rows(const Steps& steps) { return steps.offsets[steps.count]; }

/// Steps of a packed sequence: those of a step are the longest sequences.
inline int64_t length_of(const Steps& steps, int64_t sequence) {
  int64_t least = 0, most = steps.count;
  while (least < most) {
    const int64_t middle = (least + most) / 2;
    if (rows_of_step(steps, middle) > sequence) {
      least = middle + 1;
    } else {
      most = middle;
    }
  }
  return least;
}

/// Calls body(t, b, packed row) for every row of the given sequences and times, on the threads of the pool; `cost` is
/// the operations of one row.
template <class Body>
void for_each_row(const Steps& steps, Range sequences, Range times, int64_t cost, Parallel& pool, const Body& body) {
  parallel_ranges(pool, times.size(), cost * sequences.size(), [&](Range part) {
    for (int64_t t = times.begin + part.begin; t < times.begin + part.end; ++t) {
      const int64_t end = smaller(sequences.end, rows_of_step(steps, t));
      for (int64_t b = sequences.begin; b < end; ++b) body(t, b, steps.offsets[t] + b);
    }
  });
}

/// Neighbouring sequences at one step: sequence b has the packed row `row + b` and its state before is in row
/// `previous + b` of the states.
struct Segment {
  Range sequences;
  int64_t step, row, previous;
};

/// In which order a direction goes through time.
struct TimeOrder {
  int64_t count;
  bool ascending;

  UNROLL_INLINE int64_t step(int64_t index) const { return ascending ? index : count - 1 - index; }
};

/// The order of computation, or with `backward` the opposite one.
UNROLL_INLINE TimeOrder time_order(const Steps& steps, bool reverse, bool backward) {
  return {steps.count, reverse == backward};
}

/// Calls body(segment) for the given sequences at step t. In the reverse direction a step has two segments: sequences
/// that go on from the step after, and sequences whose last step this is, which start from their initial state.
template <class Body>
void for_each_segment(const Steps& steps, int64_t t, Range sequences, bool reverse, const Body& body) {
  const int64_t row = steps.offsets[t], rows = rows_of_step(steps, t);
  Range present{0, reverse ? rows_of_step(steps, t + 1) : rows};
  int64_t previous =
      reverse ? steps.sequences + steps.offsets[t + 1] : (t == 0 ? 0 : steps.sequences + steps.offsets[t - 1]);
  for (;;) {  // for the body is long, and so stands in the code once
    const Range part = intersection(present, sequences);
    if (part.size() > 0) body(Segment{part, t, row, previous});
    if (present.end == rows) return;
    present = {present.end, rows};
    previous = 0;
  }
}

/// Calls body(b, row) with the row of the states that holds the final state of sequence b: its last step, in the
/// reverse direction its first; the initial state if it has no steps.
template <class Body>
void for_each_final_row(const Steps& steps, Range sequences, bool reverse, const Body& body) {
  int64_t length = steps.count;
  for (int64_t b = sequences.begin; b < sequences.end; ++b) {
    while (length > 0 && rows_of_step(steps, length - 1) <= b) --length;
    body(b, length == 0 ? b : steps.sequences + steps.offsets[reverse ? 0 : length - 1] + b);
  }
}

/// Real steps of the sequences 0 .. b-1.
UNROLL_INLINE int64_t steps_before(const Steps& steps, int64_t b) {
  int64_t total = 0;
  for (int64_t t = 0; t < steps.count; ++t) total += smaller(rows_of_step(steps, t), b);
  return total;
}

/// Part `index` of `parts` ranges of sequences with nearly equal numbers of real steps.
UNROLL_INLINE Range balanced_part(const Steps& steps, int64_t parts, int64_t index) {
  const auto boundary = [&](int64_t part) {
    if (part == parts) return steps.sequences;
    const int64_t wanted = packed_rows(steps) * part / parts;
    int64_t low = 0, high = steps.sequences;
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      if (steps_before(steps, middle) < wanted) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  };
  return {boundary(index), boundary(index + 1)};
}

}  // namespace unroll::UNROLL_ISA
