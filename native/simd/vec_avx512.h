#pragma once

/// AVX-512 (F, BW, DQ, VL): 16 lanes are one register.

#include <immintrin.h>

namespace unroll::UNROLL_ISA {

/// Register tile of the matrix product: 6 rows x 64 columns take 29 of the 32 registers. On processors with two FMA
/// units of 512 bits 12 sums do not hide the latency, and 16 of 8 x 32 miss an eighth of the peak.
constexpr int kTileRows = 6;
constexpr int kMostPanels = 4;
constexpr int panels_of_tile(int) { return kMostPanels; }
/// Rows of a short softmax at a time.
constexpr int kShortRows = 4;
/// Vectors that an elementary function works on at once: its steps wait for each other.
constexpr int kFunctionsAtOnce = 4;
/// Vectors whose halves take turns: of four whole functions there is enough in hand.
constexpr int kHalvesAtOnce = 1;
/// Whether to move a part of a vector costs no more than to move all of it.
constexpr bool kHasMasks = true;
/// Whether stream() goes past the caches.
constexpr bool kStreams = true;

struct Vec {
  __m512 v;
};
struct Ints {
  __m512i v;
};
struct Mask {
  __mmask16 v;
};
struct Lanes {
  __mmask16 v;
};

UNROLL_INLINE Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
UNROLL_INLINE void store(float* p, Vec a) { _mm512_storeu_ps(p, a.v); }
UNROLL_INLINE Lanes first_lanes(int64_t n) { return {static_cast<__mmask16>(n >= 16 ? 0xffff : (1u << n) - 1)}; }
UNROLL_INLINE bool are_all(Lanes lanes) { return lanes.v == 0xffff; }
UNROLL_INLINE Vec load_partial(const float* p, Lanes lanes) { return {_mm512_maskz_loadu_ps(lanes.v, p)}; }
UNROLL_INLINE Vec load_partial(const float* p, Lanes lanes, float fill) {
  return {_mm512_mask_loadu_ps(_mm512_set1_ps(fill), lanes.v, p)};
}
UNROLL_INLINE void store_partial(float* p, Vec a, Lanes lanes) { _mm512_mask_storeu_ps(p, lanes.v, a.v); }
/// Past the caches, to a 64-byte aligned place: nothing is read first. Others see it after fence().
UNROLL_INLINE void stream(float* p, Vec a) { _mm512_stream_ps(p, a.v); }
UNROLL_INLINE void fence() { _mm_sfence(); }
UNROLL_INLINE Vec broadcast(float x) { return {_mm512_set1_ps(x)}; }
UNROLL_INLINE Vec four_floats(float a, float b, float c, float d, float fill) {
  return {_mm512_insertf32x4(_mm512_set1_ps(fill), _mm_setr_ps(a, b, c, d), 0)};
}
UNROLL_INLINE Ints broadcast_int(int32_t x) { return {_mm512_set1_epi32(x)}; }

UNROLL_INLINE Vec in_registers(Vec a) {
  asm("" : "+v"(a.v));
  return a;
}

UNROLL_INLINE Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
UNROLL_INLINE Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
UNROLL_INLINE Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
UNROLL_INLINE Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
UNROLL_INLINE Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
UNROLL_INLINE void add_product(Vec a, Vec b, Vec& sum) {
  asm("vfmadd231ps %2, %1, %0" : "+v"(sum.v) : "v"(a.v), "v"(b.v));
}
UNROLL_INLINE Vec fnma(Vec a, Vec b, Vec c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }
UNROLL_INLINE Vec sqrt(Vec a) { return {_mm512_maskz_sqrt_ps(0xffff, a.v)}; }
UNROLL_INLINE Vec max(Vec a, Vec b) { return {_mm512_maskz_max_ps(0xffff, a.v, b.v)}; }
UNROLL_INLINE Vec min(Vec a, Vec b) { return {_mm512_maskz_min_ps(0xffff, a.v, b.v)}; }

UNROLL_INLINE Mask operator<(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
UNROLL_INLINE Mask operator<=(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ)}; }
UNROLL_INLINE Mask operator==(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)}; }
UNROLL_INLINE bool any(Mask mask) { return mask.v != 0; }
UNROLL_INLINE Vec select(Mask mask, Vec yes, Vec no) { return {_mm512_mask_blend_ps(mask.v, no.v, yes.v)}; }

UNROLL_INLINE Ints float_to_bits(Vec a) { return {_mm512_castps_si512(a.v)}; }
UNROLL_INLINE Vec bits_to_float(Ints a) { return {_mm512_castsi512_ps(a.v)}; }
UNROLL_INLINE Vec to_float(Ints a) { return {_mm512_maskz_cvtepi32_ps(0xffff, a.v)}; }

UNROLL_INLINE Ints operator+(Ints a, Ints b) { return {_mm512_add_epi32(a.v, b.v)}; }
UNROLL_INLINE Ints operator-(Ints a, Ints b) { return {_mm512_sub_epi32(a.v, b.v)}; }
UNROLL_INLINE Ints operator&(Ints a, Ints b) { return {_mm512_and_si512(a.v, b.v)}; }
UNROLL_INLINE Ints operator|(Ints a, Ints b) { return {_mm512_or_si512(a.v, b.v)}; }
UNROLL_INLINE Ints operator^(Ints a, Ints b) { return {_mm512_xor_si512(a.v, b.v)}; }
template <int kBits>
UNROLL_INLINE Ints shift_left(Ints a) {
  return {_mm512_maskz_slli_epi32(0xffff, a.v, kBits)};
}
template <int kBits>
UNROLL_INLINE Ints shift_right_arithmetic(Ints a) {
  return {_mm512_maskz_srai_epi32(0xffff, a.v, kBits)};
}

UNROLL_INLINE Vec lookup(const float* table, Ints index) {
  return {_mm512_maskz_permutexvar_ps(0xffff, index.v, _mm512_load_ps(table))};
}
UNROLL_INLINE Vec times_power_of_2(Vec v, Vec n, Ints) { return {_mm512_maskz_scalef_ps(0xffff, v.v, n.v)}; }

UNROLL_INLINE Vec load_quads(const float* a, const float* b, const float* c, const float* d) {
  __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(a));
  v = _mm512_insertf32x4(v, _mm_loadu_ps(b), 1);
  v = _mm512_insertf32x4(v, _mm_loadu_ps(c), 2);
  return {_mm512_insertf32x4(v, _mm_loadu_ps(d), 3)};
}
UNROLL_INLINE void store_quads(Vec v, float* a, float* b, float* c, float* d) {
  _mm_storeu_ps(a, _mm512_castps512_ps128(v.v));
  _mm_storeu_ps(b, _mm512_extractf32x4_ps(v.v, 1));
  _mm_storeu_ps(c, _mm512_extractf32x4_ps(v.v, 2));
  _mm_storeu_ps(d, _mm512_extractf32x4_ps(v.v, 3));
}
UNROLL_INLINE void transpose_quads(Vec (&)[1]) {}
UNROLL_INLINE void transpose_quads(__m512& a, __m512& b) {
  const __m512d first = _mm512_castps_pd(a), second = _mm512_castps_pd(b);
  a = _mm512_castpd_ps(_mm512_maskz_unpacklo_pd(0xff, first, second));
  b = _mm512_castpd_ps(_mm512_maskz_unpackhi_pd(0xff, first, second));
}
UNROLL_INLINE void transpose_quads(Vec (&v)[2]) { transpose_quads(v[0].v, v[1].v); }
UNROLL_INLINE void transpose_quads(Vec (&v)[4]) {
  __m512 low = _mm512_maskz_unpacklo_ps(0xffff, v[0].v, v[1].v);
  __m512 low2 = _mm512_maskz_unpacklo_ps(0xffff, v[2].v, v[3].v);
  __m512 high = _mm512_maskz_unpackhi_ps(0xffff, v[0].v, v[1].v);
  __m512 high2 = _mm512_maskz_unpackhi_ps(0xffff, v[2].v, v[3].v);
  transpose_quads(low, low2);
  transpose_quads(high, high2);
  v[0].v = low, v[1].v = low2, v[2].v = high, v[3].v = high2;
}

/// Eight of the lanes, by a form that gcc 12 does not warn about (its plain one reads an undefined register).
template <int kHalf>
UNROLL_INLINE __m256 half(__m512 v) {
  return _mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(0xff, _mm512_castps_pd(v), kHalf));
}
UNROLL_INLINE float sum(Vec a) {
  const __m256 eight = _mm256_add_ps(half<0>(a.v), half<1>(a.v));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
UNROLL_INLINE float largest(Vec a) {
  const __m256 eight = _mm256_max_ps(half<0>(a.v), half<1>(a.v));
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

}  // namespace unroll::UNROLL_ISA
