#pragma once

/// Ways to copy one row of `size` floats. exact() touches nothing beyond it. loose() takes fewer moves, and may read
/// and write less than `size` floats beyond: for rows that others follow, on both sides, and that are written in order.

#include <type_traits>

#include "kernels/split.h"

namespace unroll::UNROLL_ISA {

/// kSize floats, a power of 2, that are moved in the longest moves that the processor has; gcc takes shorter ones for a
/// memcpy.
template <int kSize>
struct Floats {
  typedef float Moved __attribute__((vector_size(kSize * sizeof(float)), aligned(sizeof(float)), may_alias));

  UNROLL_INLINE static void copy(const float* from, float* to) {
    *reinterpret_cast<Moved*>(to) = *reinterpret_cast<const Moved*>(from);
  }
  UNROLL_INLINE static void fill(float value, float* to) {
    float values[kSize];
    for (float& each : values) each = value;
    copy(values, to);
  }
};
template <>
struct Floats<1> {
  UNROLL_INLINE static void copy(const float* from, float* to) { *to = *from; }
  UNROLL_INLINE static void fill(float value, float* to) { *to = value; }
};
template <>
struct Floats<kLanes> {
  UNROLL_INLINE static void copy(const float* from, float* to) { store(to, load(from)); }
};

/// What is worth fetching of a row that lies apart: the processor foresees what follows its beginning.
constexpr int64_t kFetchedOfRow = 128;

/// Rows of kLanes floats or more, in whole registers; the last move overlaps the one before it.
struct WideRows {
  static constexpr int kTransposed = 0;
  int64_t size;
  UNROLL_INLINE void fetch(const float* row) const {
    for (int64_t i = 0; i < smaller(size, kFetchedOfRow); i += kLanes) __builtin_prefetch(row + i);
  }
  UNROLL_INLINE void exact(const float* from, float* to) const {
    int64_t i = 0;
    for (; i + kLanes <= size; i += kLanes) store(to + i, load(from + i));
    if (i < size) store(to + size - kLanes, load(from + size - kLanes));
  }
  UNROLL_INLINE void loose(const float* from, float* to) const { exact(from, to); }
  UNROLL_INLINE void fill(float value, float* to) const {
    const Vec v = broadcast(value);
    for (int64_t i = 0; i < size; i += kLanes) store(to + smaller(i, size - kLanes), v);
  }
};

/// Rows of exactly kSize floats; several share a line, so that most are there already.
template <int kSize>
struct ExactRows {
  static constexpr int kTransposed = kSize <= 4 ? kSize : 0;  ///< see transpose_lines
  static constexpr int64_t size = kSize;
  UNROLL_INLINE void fetch(const float*) const {}
  UNROLL_INLINE void exact(const float* from, float* to) const { Floats<kSize>::copy(from, to); }
  UNROLL_INLINE void loose(const float* from, float* to) const { exact(from, to); }
  UNROLL_INLINE void fill(float value, float* to) const { Floats<kSize>::fill(value, to); }
};

/// Rows of more than kEnd and less than 2 kEnd floats: by their two ends, or in one move that is too long.
template <int kEnd>
struct NarrowRows {
  static constexpr int kTransposed = 0;
  int64_t size;
  UNROLL_INLINE void fetch(const float*) const {}
  UNROLL_INLINE void exact(const float* from, float* to) const {
    Floats<kEnd>::copy(from, to);
    Floats<kEnd>::copy(from + size - kEnd, to + size - kEnd);
  }
  UNROLL_INLINE void loose(const float* from, float* to) const { Floats<2 * kEnd>::copy(from, to); }
  UNROLL_INLINE void fill(float value, float* to) const {
    Floats<kEnd>::fill(value, to);
    Floats<kEnd>::fill(value, to + size - kEnd);
  }
};

/// A way to copy rows of `features` floats, of a kind that fits.
template <class Copy>
UNROLL_INLINE Copy row_copy(int64_t features) {
  if constexpr (std::is_empty_v<Copy>) {
    return {};
  } else {
    return {features};
  }
}

/// Calls body(copy) with a way to copy rows of `features` floats.
template <class Body>
void with_row_copy(int64_t features, const Body& body) {
  switch (features) {
    case 1:
      return body(ExactRows<1>{});
    case 2:
      return body(ExactRows<2>{});
    case 3:
      return body(NarrowRows<2>{features});
    case 4:
      return body(ExactRows<4>{});
    case 8:
      return body(ExactRows<8>{});
  }
  if (features >= kLanes) return body(WideRows{features});
  if (features > 8) return body(NarrowRows<8>{features});
  body(NarrowRows<4>{features});
}

}  // namespace unroll::UNROLL_ISA
