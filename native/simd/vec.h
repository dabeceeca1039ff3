#pragma once

/// Vec: 16 float lanes, Ints: 16 int32 lanes, Mask: 16 booleans, Lanes: the first so many of 16 - the same operations
/// and the same lanes for every instruction set, so that code written over them gives the same bits on all of them.
/// Everything that depends on the instruction set lives in namespace unroll::UNROLL_ISA: two builds of one header never
/// share a symbol.
///
///   max(a, b)      a > b ? a : b, so b if either is NaN; min(a, b) likewise with <
///   a < b, ...     false if either is NaN
///   any(m)         whether one of the 16 holds
///   first_lanes(n) so many, or all of more than 16
///   load_partial   reads some lanes only; the others hold `fill`, by default 0. store_partial writes only some
///   four_floats(a, b, c, d, fill)
///                  in the first lanes, `fill` in the others; not by way of memory, where a load waits for several
///                  stores
///   fnma(a, b, c)  c - a * b, rounded once
///   add_product(a, b, sum)
///                  sum = fma(a, b, sum), in the register of sum: of many that take turns gcc 12 else copies some
///   lookup(t, i)   t[i mod 16] of a table of 16 floats at a multiple of 64 bytes
///   times_power_of_2(v, n, rounded)
///                  v 2^floor(n) for n in [-126.2, 128), v 2^-127 being 0; n is given a second time as the bits of
///                  1.5 2^19 + n, of which each instruction set takes what it likes
///   in_registers(v) v, loaded once where the compiler would load it again for each use
///   load_quads(a, b, c, d)
///                  4 floats of each; store_quads(v, a, b, c, d) the other way
///   transpose_quads(v)
///                  of 4 vectors: quad q of v[j] becomes lane j of quad q of each; of 2, the same with pairs of lanes
///   sum(v)         the contract's tree: (l, l+8), (l, l+4), (l, l+2), (l, l+1)

#include <cstddef>
#include <cstdint>

#define UNROLL_INLINE inline __attribute__((always_inline))
/// After the parameters of a lambda: gcc leaves out of line what a loop and its last block both call.
#define UNROLL_INLINE_LAMBDA __attribute__((always_inline))

#if defined(UNROLL_ISA_AVX512)
#include "simd/vec_avx512.h"
#elif defined(UNROLL_ISA_AVX2)
#include "simd/vec_avx2.h"
#else
#include "simd/vec_generic.h"
#endif

namespace unroll::UNROLL_ISA {

constexpr int kLanes = 16;

UNROLL_INLINE Vec operator-(Vec a) { return bits_to_float(float_to_bits(a) ^ broadcast_int(INT32_MIN)); }
UNROLL_INLINE Vec abs(Vec a) { return bits_to_float(float_to_bits(a) & broadcast_int(INT32_MAX)); }
/// |magnitude| with the sign of `sign`; the magnitude must not be negative.
UNROLL_INLINE Vec with_sign(Vec magnitude, Vec sign) {
  return bits_to_float(float_to_bits(magnitude) | (float_to_bits(sign) & broadcast_int(INT32_MIN)));
}

#if !defined(UNROLL_ISA_AVX512)
UNROLL_INLINE Vec in_registers(Vec v) { return v; }

/// 2^-127 becomes 0.
UNROLL_INLINE Vec times_power_of_2(Vec v, Vec, Ints rounded) {
  const Ints power = broadcast_int(0x3f800000) + (shift_left<19>(rounded) & broadcast_int(-1 << 23));
  return v * bits_to_float(power);
}
#endif

}  // namespace unroll::UNROLL_ISA
