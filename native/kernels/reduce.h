#pragma once

/// Sums along rows and over whole arrays, in an order that depends on nothing but the length.

#include "kernels/split.h"
#include "kernels/tile.h"

namespace unroll::UNROLL_ISA {

/// Columns after which a row's 16 sums are added to those so far and start anew: the error stays small in long rows.
constexpr int64_t kSumBlock = 1024;

/// Calls body(column, columns) for every 16 columns of [begin, end); columns < 16 in the last block only.
template <class Body>
UNROLL_INLINE void for_column_blocks(int64_t begin, int64_t end, const Body& body) {
  int64_t c = begin;
  for (; c + kLanes <= end; c += kLanes) body(c, kLanes);
  if (c < end) body(c, end - c);
}

/// The sum of the terms of a row: term(column, columns, lanes) adds those of 16 columns to the lanes.
template <class Term>
UNROLL_INLINE float sum_of_row(int64_t columns, const Term& term) {
  const auto lanes_of_block = [&](int64_t begin) UNROLL_INLINE_LAMBDA {
    Vec lanes = broadcast(0.0f);
    for_column_blocks(begin, smaller(begin + kSumBlock, columns),
                      [&](int64_t c, int64_t width) UNROLL_INLINE_LAMBDA { lanes = term(c, width, lanes); });
    return lanes;
  };
  Vec lanes = broadcast(0.0f);
  for (int64_t c = 0; c < columns; c += kSumBlock) lanes = lanes + lanes_of_block(c);
  return sum(lanes);
}

/// Elements of an array whose sum is one of floats: 16 lanes and the tree. Those sums are added in double, ascending.
constexpr int64_t kReduceBlock = 4096;

/// The sum of the terms of [begin, end), at most one block.
template <class Term>
UNROLL_INLINE float sum_of_block(int64_t begin, int64_t end, const Term& term) {
  Vec lanes = broadcast(0.0f);
  for (int64_t i = begin; i < end; i += kLanes) lanes = term(i, smaller(kLanes, end - i), lanes);
  return sum(lanes);
}

template <class Term>
double reduce(int64_t size, Parallel& pool, const Term& term) {
  constexpr int64_t kAtOnce = 256;
  double total = 0.0;
  const int64_t blocks = divide_up(size, kReduceBlock);
  for (int64_t first = 0; first < blocks; first += kAtOnce) {
    float sums[kAtOnce];
    const int64_t count = smaller(kAtOnce, blocks - first);
    parallel_ranges(pool, count, 2 * kReduceBlock, [&](Range part) {
      for (int64_t b = part.begin; b < part.end; ++b) {
        const int64_t begin = (first + b) * kReduceBlock;
        sums[b] = sum_of_block(begin, smaller(begin + kReduceBlock, size), term);
      }
    });
    for (int64_t b = 0; b < count; ++b) total += static_cast<double>(sums[b]);
  }
  return total;
}

/// 16 elements that an index names, or fewer: zero in the lanes past the width.
UNROLL_INLINE Vec load_indexed(const float* x, const int32_t* index, int64_t width) {
  alignas(64) float lanes[kLanes] = {};
  for (int64_t l = 0; l < smaller(kLanes, width); ++l) lanes[l] = x[index[l]];
  return load(lanes);
}

inline double array_sum(const float* x, const int32_t* index, int64_t size, Parallel& pool) {
  return reduce(size, pool, [=](int64_t i, int64_t width, Vec lanes) {
    return lanes + (index == nullptr ? load_columns(x + i, width) : load_indexed(x, index + i, width));
  });
}

}  // namespace unroll::UNROLL_ISA
