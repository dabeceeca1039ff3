#pragma once

/// How work is cut: into row tiles within a thread, into tasks among threads. Only outputs are ever divided.

#include "kernels/parallel.h"
#include "simd/vec.h"

namespace unroll::UNROLL_ISA {

struct Range {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};

UNROLL_INLINE constexpr int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
UNROLL_INLINE constexpr int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
UNROLL_INLINE int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
UNROLL_INLINE int64_t round_up(int64_t a, int64_t b) { return divide_up(a, b) * b; }

/// x, of which the compiler knows nothing.
UNROLL_INLINE int64_t opaque(int64_t x) {
  asm("" : "+r"(x));
  return x;
}

/// What two ranges share, maybe nothing.
UNROLL_INLINE Range intersection(Range a, Range b) {
  const int64_t begin = larger(a.begin, b.begin);
  return {begin, larger(begin, smaller(a.end, b.end))};
}

/// Part `index` of `parts` nearly equal parts of [0, size).
UNROLL_INLINE Range part_of(int64_t size, int64_t parts, int64_t index) {
  const int64_t base = size / parts, extra = size % parts;
  const int64_t begin = index * base + smaller(index, extra);
  return {begin, begin + base + (index < extra)};
}

/// A body(index, scratch) as the pool wants it.
template <class Body>
void call_body(void* context, int64_t index, float* scratch) {
  (*static_cast<const Body*>(context))(index, scratch);
}

template <class Body>
void* context_of(const Body& body) {
  return const_cast<void*>(static_cast<const void*>(&body));
}

/// Calls body(index, scratch) for every task, on the threads of the pool.
template <class Body>
void parallel_for(Parallel& pool, int64_t tasks, const Body& body) {
  if (tasks > 0) pool.run(tasks, call_body<Body>, context_of(body));
}

/// Calls body(phase, slice, scratch) for every slice of every phase, each phase after the one before.
template <class Body>
void parallel_phases(Parallel& pool, int64_t phases, int64_t slices, const Body& body) {
  const auto call = [&](int64_t index, float* scratch) { body(index / slices, index % slices, scratch); };
  pool.run_phases(phases, slices, call_body<decltype(call)>, context_of(call));
}

/// Calls body(lane, part, scratch) for every part of every lane, each after the part before it in its lane and after
/// the same part of the lane before.
template <class Body>
void parallel_lanes(Parallel& pool, int64_t lanes, int64_t parts, const Body& body) {
  const auto call = [&](int64_t index, float* scratch) { body(index / parts, index % parts, scratch); };
  pool.run_lanes(lanes, parts, call_body<decltype(call)>, context_of(call));
}

/// Below this many operations a task costs less than handing it to another thread.
constexpr int64_t kWorthSharing = 500'000;

/// Tasks for `items` equal items of `cost` operations each: 1 if small, else up to four a thread, so that a thread that
/// is late takes fewer.
UNROLL_INLINE int64_t tasks_for(const Parallel& pool, int64_t items, int64_t cost) {
  if (pool.width() == 1 || items <= 1) return 1;
  const int64_t width = pool.width(), worth = larger(1, items * cost / kWorthSharing);
  return smaller(items, worth < width ? worth : smaller(worth / width, 4) * width);
}

/// Calls call(context, range) for parts of [0, items) on the threads of the pool: compiled once for all bodies, for it
/// is longer than most of them.
[[gnu::noinline]] inline void run_ranges(Parallel& pool, int64_t items, int64_t cost, void (*call)(void*, Range),
                                         void* context) {
  const int64_t tasks = tasks_for(pool, items, cost);
  parallel_for(pool, tasks, [&](int64_t task, float*) { call(context, part_of(items, tasks, task)); });
}

/// Calls body(range) for parts of [0, items) on the threads of the pool; `cost` is the operations of one item.
template <class Body>
void parallel_ranges(Parallel& pool, int64_t items, int64_t cost, const Body& body) {
  const auto call = [](void* context, Range part) { (*static_cast<const Body*>(context))(part); };
  run_ranges(pool, items, cost, call, context_of(body));
}

/// Calls body.template operator()<kRows>() with kRows == rows, for rows in 1 .. kMax.
template <int kMax, class Body>
UNROLL_INLINE void with_constant(int64_t rows, const Body& body) {
  if constexpr (kMax > 1) {
    if (rows != kMax) return with_constant<kMax - 1>(rows, body);
  }
  body.template operator()<kMax>();
}

/// How rows are cut into tiles of at most kTileRows whose heights differ by at most one: 32 rows give 6 6 5 5 5 5, not
/// 6 6 6 6 6 2.
struct RowTiles {
  int64_t count;
  int64_t height, higher;  ///< the first `higher` tiles have one row more

  UNROLL_INLINE explicit RowTiles(int64_t rows) : count(divide_up(rows, kTileRows)) {
    // In 32 bits, which divide several times faster: a single step is short enough to notice.
    height = static_cast<uint32_t>(rows) / static_cast<uint32_t>(larger(1, count));
    higher = rows - height * count;
  }

  UNROLL_INLINE int64_t most_rows() const { return height + (higher > 0); }

  /// Calls body(rows, first_row, first_tile, tiles) for the tiles of each height.
  template <class Body>
  UNROLL_INLINE void for_each_height(const Body& body) const {
    if (higher > 0) body(height + 1, 0, 0, higher);
    if (count > higher) body(height, higher * (height + 1), higher, count - higher);
  }

  /// Calls body.template operator()<kRows>(first_row, tile) for each.
  template <class Body>
  UNROLL_INLINE void for_each(const Body& body) const {
    int64_t row = 0;
    for (int64_t tile = 0; tile < count; ++tile) {
      const int64_t rows = height + (tile < higher);
      with_constant<kTileRows>(rows, [&]<int kRows>() { body.template operator()<kRows>(row, tile); });
      row += rows;
    }
  }
};

}  // namespace unroll::UNROLL_ISA
