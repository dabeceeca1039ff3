#pragma once

/// AVX2 and FMA: 16 lanes are two registers.

#include <immintrin.h>

namespace unroll::UNROLL_ISA {

/// Register tile of the matrix product: 6 rows x 16 columns take 12 of the 16 registers.
constexpr int kTileRows = 6;
constexpr int kMostPanels = 4;
/// Panels of 16 columns beside each other: a tile of few rows needs several for enough independent sums.
constexpr int panels_of_tile(int rows) { return rows == 1 ? 4 : rows == 2 ? 3 : rows == 3 ? 2 : 1; }
/// Rows of a short softmax at a time.
constexpr int kShortRows = 4;
/// Vectors that an elementary function works on at once: its steps wait for each other.
constexpr int kFunctionsAtOnce = 1;
/// Vectors of which the first halves of a function are computed before the second ones, by way of L1; and cells of
/// which each stage is.
constexpr int kHalvesAtOnce = 8;
/// Whether to move a part of a vector costs no more than to move all of it.
constexpr bool kHasMasks = false;
/// Whether stream() goes past the caches.
constexpr bool kStreams = true;

struct Vec {
  __m256 lo, hi;
};
struct Ints {
  __m256i lo, hi;
};
struct Mask {
  __m256 lo, hi;
};
struct Lanes {
  int below;
};

UNROLL_INLINE Vec load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
UNROLL_INLINE void store(float* p, Vec v) {
  _mm256_storeu_ps(p, v.lo);
  _mm256_storeu_ps(p + 8, v.hi);
}
UNROLL_INLINE Lanes first_lanes(int64_t n) { return {static_cast<int>(n < 16 ? n : 16)}; }
UNROLL_INLINE bool are_all(Lanes lanes) { return lanes.below == 16; }
/// All ones in these lanes, for the masked moves.
UNROLL_INLINE Ints ones_in(Lanes lanes) {
  const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return {_mm256_cmpgt_epi32(_mm256_set1_epi32(lanes.below), index),
          _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes.below - 8), index)};
}
UNROLL_INLINE Vec load_partial(const float* p, Lanes lanes) {
  if (are_all(lanes)) return load(p);
  const Ints ones = ones_in(lanes);
  return {_mm256_maskload_ps(p, ones.lo), _mm256_maskload_ps(p + 8, ones.hi)};
}
UNROLL_INLINE Vec load_partial(const float* p, Lanes lanes, float fill) {
  const Ints ones = ones_in(lanes);
  const __m256 rest = _mm256_set1_ps(fill);
  const auto filled = [rest](const float* from, __m256i half) UNROLL_INLINE_LAMBDA {
    return _mm256_blendv_ps(rest, _mm256_maskload_ps(from, half), _mm256_castsi256_ps(half));
  };
  return {filled(p, ones.lo), lanes.below > 8 ? filled(p + 8, ones.hi) : rest};
}
/// In pieces of 8, 4, 2 and 1: to store by a mask takes Zen 3 a dozen cycles for each half.
UNROLL_INLINE void store_partial(float* p, Vec v, Lanes lanes) {
  const int n = lanes.below;
  if (n == 16) return store(p, v);
  __m256 eight = v.lo;
  if (n & 8) {
    _mm256_storeu_ps(p, eight);
    p += 8, eight = v.hi;
  }
  __m128 four = _mm256_castps256_ps128(eight);
  if (n & 4) {
    _mm_storeu_ps(p, four);
    p += 4, four = _mm256_extractf128_ps(eight, 1);
  }
  if (n & 2) {
    _mm_storel_pi(reinterpret_cast<__m64*>(p), four);
    p += 2, four = _mm_movehl_ps(four, four);
  }
  if (n & 1) _mm_store_ss(p, four);
}
/// Past the caches, to a 64-byte aligned place: nothing is read first. Others see it after fence().
UNROLL_INLINE void stream(float* p, Vec a) {
  _mm256_stream_ps(p, a.lo);
  _mm256_stream_ps(p + 8, a.hi);
}
UNROLL_INLINE void fence() { _mm_sfence(); }
UNROLL_INLINE Vec broadcast(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
UNROLL_INLINE Vec four_floats(float a, float b, float c, float d, float fill) {
  const __m256 rest = _mm256_set1_ps(fill);
  return {_mm256_insertf128_ps(rest, _mm_setr_ps(a, b, c, d), 0), rest};
}
UNROLL_INLINE Ints broadcast_int(int32_t x) { return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }

UNROLL_INLINE Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)}; }
UNROLL_INLINE Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)}; }
UNROLL_INLINE Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)}; }
UNROLL_INLINE Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)}; }
UNROLL_INLINE Vec fma(Vec a, Vec b, Vec c) {
  return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
}
UNROLL_INLINE void add_product(Vec a, Vec b, Vec& sum) { sum = fma(a, b, sum); }
UNROLL_INLINE Vec fnma(Vec a, Vec b, Vec c) {
  return {_mm256_fnmadd_ps(a.lo, b.lo, c.lo), _mm256_fnmadd_ps(a.hi, b.hi, c.hi)};
}
UNROLL_INLINE Vec sqrt(Vec a) { return {_mm256_sqrt_ps(a.lo), _mm256_sqrt_ps(a.hi)}; }
UNROLL_INLINE Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)}; }
UNROLL_INLINE Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)}; }

template <int kPredicate>
UNROLL_INLINE Mask compare(Vec a, Vec b) {
  return {_mm256_cmp_ps(a.lo, b.lo, kPredicate), _mm256_cmp_ps(a.hi, b.hi, kPredicate)};
}
UNROLL_INLINE Mask operator<(Vec a, Vec b) { return compare<_CMP_LT_OQ>(a, b); }
UNROLL_INLINE Mask operator<=(Vec a, Vec b) { return compare<_CMP_LE_OQ>(a, b); }
UNROLL_INLINE Mask operator==(Vec a, Vec b) { return compare<_CMP_EQ_OQ>(a, b); }
UNROLL_INLINE bool any(Mask mask) { return _mm256_movemask_ps(_mm256_or_ps(mask.lo, mask.hi)) != 0; }
UNROLL_INLINE Vec select(Mask mask, Vec yes, Vec no) {
  return {_mm256_blendv_ps(no.lo, yes.lo, mask.lo), _mm256_blendv_ps(no.hi, yes.hi, mask.hi)};
}

UNROLL_INLINE Ints float_to_bits(Vec a) { return {_mm256_castps_si256(a.lo), _mm256_castps_si256(a.hi)}; }
UNROLL_INLINE Vec bits_to_float(Ints a) { return {_mm256_castsi256_ps(a.lo), _mm256_castsi256_ps(a.hi)}; }
UNROLL_INLINE Vec to_float(Ints a) { return {_mm256_cvtepi32_ps(a.lo), _mm256_cvtepi32_ps(a.hi)}; }

UNROLL_INLINE Ints operator+(Ints a, Ints b) { return {_mm256_add_epi32(a.lo, b.lo), _mm256_add_epi32(a.hi, b.hi)}; }
UNROLL_INLINE Ints operator-(Ints a, Ints b) { return {_mm256_sub_epi32(a.lo, b.lo), _mm256_sub_epi32(a.hi, b.hi)}; }
UNROLL_INLINE Ints operator&(Ints a, Ints b) { return {_mm256_and_si256(a.lo, b.lo), _mm256_and_si256(a.hi, b.hi)}; }
UNROLL_INLINE Ints operator|(Ints a, Ints b) { return {_mm256_or_si256(a.lo, b.lo), _mm256_or_si256(a.hi, b.hi)}; }
UNROLL_INLINE Ints operator^(Ints a, Ints b) { return {_mm256_xor_si256(a.lo, b.lo), _mm256_xor_si256(a.hi, b.hi)}; }
template <int kBits>
UNROLL_INLINE Ints shift_left(Ints a) {
  return {_mm256_slli_epi32(a.lo, kBits), _mm256_slli_epi32(a.hi, kBits)};
}
template <int kBits>
UNROLL_INLINE Ints shift_right_arithmetic(Ints a) {
  return {_mm256_srai_epi32(a.lo, kBits), _mm256_srai_epi32(a.hi, kBits)};
}

UNROLL_INLINE __m256 lookup(const float* table, __m256i index) {
  const __m256 first = _mm256_permutevar8x32_ps(_mm256_load_ps(table), index),
               second = _mm256_permutevar8x32_ps(_mm256_load_ps(table + 8), index);
  const __m256 is_second = _mm256_castsi256_ps(_mm256_slli_epi32(index, 28));
  __m256 result;  // of the intrinsic gcc 12 makes a comparison more
  asm("vblendvps %3, %2, %1, %0" : "=x"(result) : "x"(first), "x"(second), "x"(is_second));
  return result;
}
UNROLL_INLINE Vec lookup(const float* table, Ints index) { return {lookup(table, index.lo), lookup(table, index.hi)}; }

UNROLL_INLINE __m256 load_quads(const float* low, const float* high) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high), 1);
}
UNROLL_INLINE Vec load_quads(const float* a, const float* b, const float* c, const float* d) {
  return {load_quads(a, b), load_quads(c, d)};
}
UNROLL_INLINE void store_quads(Vec v, float* a, float* b, float* c, float* d) {
  _mm_storeu_ps(a, _mm256_castps256_ps128(v.lo));
  _mm_storeu_ps(b, _mm256_extractf128_ps(v.lo, 1));
  _mm_storeu_ps(c, _mm256_castps256_ps128(v.hi));
  _mm_storeu_ps(d, _mm256_extractf128_ps(v.hi, 1));
}
UNROLL_INLINE void transpose_quads(Vec (&)[1]) {}
UNROLL_INLINE void transpose_quads(__m256& a, __m256& b) {
  const __m256d first = _mm256_castps_pd(a), second = _mm256_castps_pd(b);
  a = _mm256_castpd_ps(_mm256_unpacklo_pd(first, second));
  b = _mm256_castpd_ps(_mm256_unpackhi_pd(first, second));
}
UNROLL_INLINE void transpose_quads(Vec (&v)[2]) {
  transpose_quads(v[0].lo, v[1].lo);
  transpose_quads(v[0].hi, v[1].hi);
}
UNROLL_INLINE void transpose_quads(__m256& a, __m256& b, __m256& c, __m256& d) {
  __m256 low = _mm256_unpacklo_ps(a, b), low2 = _mm256_unpacklo_ps(c, d);
  __m256 high = _mm256_unpackhi_ps(a, b), high2 = _mm256_unpackhi_ps(c, d);
  transpose_quads(low, low2);
  transpose_quads(high, high2);
  a = low, b = low2, c = high, d = high2;
}
UNROLL_INLINE void transpose_quads(Vec (&v)[4]) {
  transpose_quads(v[0].lo, v[1].lo, v[2].lo, v[3].lo);
  transpose_quads(v[0].hi, v[1].hi, v[2].hi, v[3].hi);
}

UNROLL_INLINE float sum(Vec v) {
  const __m256 eight = _mm256_add_ps(v.lo, v.hi);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
UNROLL_INLINE float largest(Vec v) {
  const __m256 eight = _mm256_max_ps(v.lo, v.hi);
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

}  // namespace unroll::UNROLL_ISA
