#pragma once

/// Plain C++: the reference that the other instruction sets are compared with, and the build for other processors.

#include <bit>

namespace unroll::UNROLL_ISA {

/// Register tile of the matrix product: rows, and panels of 16 columns.
constexpr int kTileRows = 2;
constexpr int kMostPanels = 1;
constexpr int panels_of_tile(int) { return 1; }
/// Rows of a short softmax at a time.
constexpr int kShortRows = 1;
/// Vectors that an elementary function works on at once: its steps wait for each other.
constexpr int kFunctionsAtOnce = 1;
constexpr int kHalvesAtOnce = 1;
/// Whether to move a part of a vector costs no more than to move all of it.
constexpr bool kHasMasks = false;
/// Whether stream() goes past the caches.
constexpr bool kStreams = false;

struct Vec {
  float lane[16];
};
struct Ints {
  int32_t lane[16];
};
struct Mask {
  bool lane[16];
};
struct Lanes {
  int below;
};

template <class Result, class Lane>
UNROLL_INLINE Result each_lane(Lane value) {
  Result result;
  for (int l = 0; l < 16; ++l) result.lane[l] = value(l);
  return result;
}

UNROLL_INLINE Vec load(const float* p) {
  return each_lane<Vec>([=](int l) { return p[l]; });
}
UNROLL_INLINE Lanes first_lanes(int64_t n) { return {static_cast<int>(n < 16 ? n : 16)}; }
UNROLL_INLINE bool are_all(Lanes lanes) { return lanes.below == 16; }
UNROLL_INLINE Vec load_partial(const float* p, Lanes lanes, float fill = 0.0f) {
  return each_lane<Vec>([=](int l) { return l < lanes.below ? p[l] : fill; });
}
UNROLL_INLINE void store(float* p, const Vec& v) {
  for (int l = 0; l < 16; ++l) p[l] = v.lane[l];
}
UNROLL_INLINE void store_partial(float* p, const Vec& v, Lanes lanes) {
  for (int l = 0; l < lanes.below; ++l) p[l] = v.lane[l];
}
/// Past the caches, to a 64-byte aligned place: nothing is read first. Others see it after fence().
UNROLL_INLINE void stream(float* p, Vec a) { store(p, a); }
UNROLL_INLINE void fence() {}
UNROLL_INLINE Vec broadcast(float x) {
  return each_lane<Vec>([=](int) { return x; });
}
UNROLL_INLINE Vec four_floats(float a, float b, float c, float d, float fill) {
  const float first[] = {a, b, c, d};
  return each_lane<Vec>([&](int l) { return l < 4 ? first[l] : fill; });
}
UNROLL_INLINE Ints broadcast_int(int32_t x) {
  return each_lane<Ints>([=](int) { return x; });
}

UNROLL_INLINE Vec operator+(const Vec& a, const Vec& b) {
  return each_lane<Vec>([&](int l) { return a.lane[l] + b.lane[l]; });
}
UNROLL_INLINE Vec operator-(const Vec& a, const Vec& b) {
  return each_lane<Vec>([&](int l) { return a.lane[l] - b.lane[l]; });
}
UNROLL_INLINE Vec operator*(const Vec& a, const Vec& b) {
  return each_lane<Vec>([&](int l) { return a.lane[l] * b.lane[l]; });
}
UNROLL_INLINE Vec operator/(const Vec& a, const Vec& b) {
  return each_lane<Vec>([&](int l) { return a.lane[l] / b.lane[l]; });
}
UNROLL_INLINE Vec fma(const Vec& a, const Vec& b, const Vec& c) {
  return each_lane<Vec>([&](int l) { return __builtin_fmaf(a.lane[l], b.lane[l], c.lane[l]); });
}
UNROLL_INLINE void add_product(const Vec& a, const Vec& b, Vec& sum) { sum = fma(a, b, sum); }
UNROLL_INLINE Vec fnma(const Vec& a, const Vec& b, const Vec& c) {
  return each_lane<Vec>([&](int l) { return __builtin_fmaf(-a.lane[l], b.lane[l], c.lane[l]); });
}
UNROLL_INLINE Vec sqrt(const Vec& a) {
  return each_lane<Vec>([&](int l) { return __builtin_sqrtf(a.lane[l]); });
}
UNROLL_INLINE Vec max(const Vec& a, const Vec& b) {
  return each_lane<Vec>([&](int l) { return a.lane[l] > b.lane[l] ? a.lane[l] : b.lane[l]; });
}
UNROLL_INLINE Vec min(const Vec& a, const Vec& b) {
  return each_lane<Vec>([&](int l) { return a.lane[l] < b.lane[l] ? a.lane[l] : b.lane[l]; });
}

UNROLL_INLINE Mask operator<(const Vec& a, const Vec& b) {
  return each_lane<Mask>([&](int l) { return a.lane[l] < b.lane[l]; });
}
UNROLL_INLINE Mask operator<=(const Vec& a, const Vec& b) {
  return each_lane<Mask>([&](int l) { return a.lane[l] <= b.lane[l]; });
}
UNROLL_INLINE Mask operator==(const Vec& a, const Vec& b) {
  return each_lane<Mask>([&](int l) { return a.lane[l] == b.lane[l]; });
}
UNROLL_INLINE bool any(const Mask& mask) {
  bool found = false;
  for (int l = 0; l < 16; ++l) found |= mask.lane[l];
  return found;
}
UNROLL_INLINE Vec select(const Mask& mask, const Vec& yes, const Vec& no) {
  return each_lane<Vec>([&](int l) { return mask.lane[l] ? yes.lane[l] : no.lane[l]; });
}

UNROLL_INLINE Ints float_to_bits(const Vec& a) {
  return each_lane<Ints>([&](int l) { return std::bit_cast<int32_t>(a.lane[l]); });
}
UNROLL_INLINE Vec bits_to_float(const Ints& a) {
  return each_lane<Vec>([&](int l) { return std::bit_cast<float>(a.lane[l]); });
}
UNROLL_INLINE Vec to_float(const Ints& a) {
  return each_lane<Vec>([&](int l) { return static_cast<float>(a.lane[l]); });
}

UNROLL_INLINE Ints operator+(const Ints& a, const Ints& b) {
  return each_lane<Ints>(
      [&](int l) { return static_cast<int32_t>(static_cast<uint32_t>(a.lane[l]) + static_cast<uint32_t>(b.lane[l])); });
}
UNROLL_INLINE Ints operator-(const Ints& a, const Ints& b) {
  return each_lane<Ints>(
      [&](int l) { return static_cast<int32_t>(static_cast<uint32_t>(a.lane[l]) - static_cast<uint32_t>(b.lane[l])); });
}
UNROLL_INLINE Ints operator&(const Ints& a, const Ints& b) {
  return each_lane<Ints>([&](int l) { return a.lane[l] & b.lane[l]; });
}
UNROLL_INLINE Ints operator|(const Ints& a, const Ints& b) {
  return each_lane<Ints>([&](int l) { return a.lane[l] | b.lane[l]; });
}
UNROLL_INLINE Ints operator^(const Ints& a, const Ints& b) {
  return each_lane<Ints>([&](int l) { return a.lane[l] ^ b.lane[l]; });
}
template <int kBits>
UNROLL_INLINE Ints shift_left(const Ints& a) {
  return each_lane<Ints>([&](int l) { return static_cast<int32_t>(static_cast<uint32_t>(a.lane[l]) << kBits); });
}
template <int kBits>
UNROLL_INLINE Ints shift_right_arithmetic(const Ints& a) {
  return each_lane<Ints>([&](int l) { return a.lane[l] >> kBits; });
}

UNROLL_INLINE Vec lookup(const float* table, const Ints& index) {
  return each_lane<Vec>([&](int l) { return table[index.lane[l] & 15]; });
}

UNROLL_INLINE Vec load_quads(const float* a, const float* b, const float* c, const float* d) {
  const float* const quads[] = {a, b, c, d};
  return each_lane<Vec>([&](int l) { return quads[l / 4][l % 4]; });
}
UNROLL_INLINE void store_quads(Vec v, float* a, float* b, float* c, float* d) {
  float* const quads[] = {a, b, c, d};
  for (int l = 0; l < 16; ++l) quads[l / 4][l % 4] = v.lane[l];
}
template <int kVecs>
UNROLL_INLINE void transpose_quads(Vec (&v)[kVecs]) {
  constexpr int kCell = 4 / kVecs;
  Vec result[kVecs];
  for (int j = 0; j < kVecs; ++j) {
    result[j] = each_lane<Vec>([&](int l) { return v[l % 4 / kCell].lane[l / 4 * 4 + j * kCell + l % kCell]; });
  }
  for (int j = 0; j < kVecs; ++j) v[j] = result[j];
}

UNROLL_INLINE float sum(const Vec& v) {
  float s[8];
  for (int l = 0; l < 8; ++l) s[l] = v.lane[l] + v.lane[l + 8];
  for (int l = 0; l < 4; ++l) s[l] += s[l + 4];
  return (s[0] + s[2]) + (s[1] + s[3]);
}
UNROLL_INLINE float largest(const Vec& v) {
  float m = v.lane[0];
  for (int l = 1; l < 16; ++l) m = v.lane[l] > m ? v.lane[l] : m;
  return m;
}

}  // namespace unroll::UNROLL_ISA
