#pragma once

/// exp, log, tanh, sigmoid and softplus over Vec: a fixed sequence of IEEE operations, so the same bits on every
/// instruction set.
///
/// Written for flush-to-zero and denormals-are-zero: a denormal argument counts as 0, a denormal result is 0. NaN in
/// gives NaN out. All are monotone over consecutive floats. Worst error over all 2^32 floats
/// (bench/elementary_ulp.cpp): exp 0.99, log 0.92, tanh 1.15, sigmoid 1.46, softplus 1.54 ULP.
///
/// Coefficients: Sollya 8.0, fpminimax with single-precision coefficients and relative error, or Lawson's iteration
/// with one coefficient rounded at a time; function, interval and degree stand beside each set.

#include <bit>

#include "simd/vec.h"

namespace unroll::UNROLL_ISA {

constexpr float kInfinity = __builtin_inff();
constexpr float kNotANumber = __builtin_nanf("");
constexpr float kLog2E = 0x1.715476p+0f;
/// ln 2 = kLn2 + kLn2Rest. kLn2 happens to end in zeros: it is a multiple of 2^-21.
constexpr float kLn2 = 0x1.62e43p-1f;
constexpr float kLn2Rest = -0x1.05c61p-29f;

/// x + kRounder is 1.5 * 2^23 + round(x), with the integer in its low bits, for |x| < 2^22.
constexpr float kRounder = 0x1.8p+23f;

/// kRounder + n, n = round(x / ln 2).
UNROLL_INLINE Vec rounded_exponent(Vec x) { return fma(x, broadcast(kLog2E), broadcast(kRounder)); }

/// x - n ln 2. The first difference is exact: x and n kLn2 are multiples of 2^-25 unless n = 0, and it is below 1/2.
UNROLL_INLINE Vec without_exponent(Vec x, Vec n) { return fma(n, broadcast(-kLn2Rest), fma(n, broadcast(-kLn2), x)); }

/// 1 - e^-r = r - r^2 q(r) for |r| <= ln(2)/2. Keeping r apart from what is rounded, r^2 q, makes the error small and
/// the result monotone. exp(-r), [-0.3468, 0.3468], degree 6; error 0.06 * 2^-24.
UNROLL_INLINE Vec one_minus_exp_near_0(Vec r) {
  const Vec z = r * r;
  const Vec q01 = fnma(r, broadcast(0x1.555492p-3f), broadcast(0x1.fffffap-2f));
  const Vec q23 = fnma(r, broadcast(0x1.12398ep-7f), broadcast(0x1.555a28p-5f));
  return fnma(z, fma(z, fma(z, broadcast(0x1.694ac4p-10f), q23), q01), r);
}

/// n in the place of an exponent, from kRounder + n: added to the bits of a number it multiplies it by 2^n.
UNROLL_INLINE Ints exponent_bits(Vec rounded) { return shift_left<23>(float_to_bits(rounded)); }
UNROLL_INLINE Ints bits_of(float x) { return broadcast_int(std::bit_cast<int32_t>(x)); }

/// 2^(j/16) = kRoots[j] + kRootRests[j].
alignas(64) constexpr float kRoots[16] = {0x1.p+0f,       0x1.0b5586p+0f, 0x1.172b84p+0f, 0x1.2387a6p+0f,
                                          0x1.306fep+0f,  0x1.3dea64p+0f, 0x1.4bfdaep+0f, 0x1.5ab07ep+0f,
                                          0x1.6a09e6p+0f, 0x1.7a1148p+0f, 0x1.8ace54p+0f, 0x1.9c4918p+0f,
                                          0x1.ae89fap+0f, 0x1.c199bep+0f, 0x1.d5818ep+0f, 0x1.ea4afap+0f};
alignas(64) constexpr float kRootRests[16] = {0.0f,
                                              0x1.9f3122p-25f,
                                              -0x1.c15742p-27f,
                                              0x1.ceac48p-25f,
                                              0x1.4636e2p-25f,
                                              0x1.824684p-25f,
                                              -0x1.593abcp-25f,
                                              -0x1.5bd5ecp-27f,
                                              0x1.9fcef4p-26f,
                                              -0x1.829fdp-25f,
                                              0x1.15506ep-27f,
                                              0x1.51f848p-27f,
                                              -0x1.a94b14p-26f,
                                              -0x1.3d56b2p-27f,
                                              -0x1.822dbcp-27f,
                                              0x1.52486cp-27f};

/// n = round(16 x / ln 2) / 16, and the bits of 1.5 2^19 + n. For |x| < 2^18.
struct Sixteenths {
  static constexpr float kRounder = 0x1.8p+19f;
  Vec n;
  Ints bits;

  UNROLL_INLINE Sixteenths minus(Vec whole) const {
    return {n - whole, float_to_bits(n - whole + broadcast(kRounder))};
  }
};

UNROLL_INLINE Sixteenths sixteenths(Vec x, float per_unit = kLog2E) {
  const Vec rounded = fma(x, broadcast(per_unit), broadcast(Sixteenths::kRounder));
  return {rounded - broadcast(Sixteenths::kRounder), float_to_bits(rounded)};
}

/// e^r - 1 for |r| <= ln(2)/32. (e^r - 1 - r)/r^2, degree 1; error 0.03 * 2^-24.
UNROLL_INLINE Vec exp_minus_1_of_sixteenth(Vec r) {
  return fma(r * r, fma(r, broadcast(0x1.5556d2p-3f), broadcast(0x1.000222p-1f)), r);
}

/// Below it, e^x < 2^-126, which counts as 0.
constexpr float kExpZero = -87.4f;

/// 2^floor(n) 2^(j/16) e^r, n in sixteenths, whose fraction j/16 is looked up. The rests of the roots are left out,
/// which keeps the error just below 1 ULP.
struct Exp {
  static constexpr float kMost = 87.3f;  ///< near() is for |x| of at most this much

  /// Where one root follows the other, x is just so far from the middle between them that no value falls.
  static UNROLL_INLINE Sixteenths cut(Vec x) { return sixteenths(x, 0x1.715482p+0f); }

  static UNROLL_INLINE Vec of_fraction(Vec x, const Sixteenths& s) {
    const Vec root = lookup(kRoots, s.bits);
    return fma(root, exp_minus_1_of_sixteenth(without_exponent(x, s.n)), root);
  }

  static UNROLL_INLINE Vec near(Vec x) {
    const Sixteenths s = cut(x);
    return times_power_of_2(of_fraction(x, s), s.n, s.bits);
  }

  /// Positive powers are halved and doubled again: 2^128 is no float.
  static UNROLL_INLINE Vec apply(Vec x) {
    constexpr float kExpInfinity = 89.0f;
    const Vec bounded = min(broadcast(kExpInfinity), max(broadcast(kExpZero), x));
    const Mask positive = broadcast(0.0f) < x;
    const Sixteenths s = cut(bounded), half = s.minus(select(positive, broadcast(1.0f), broadcast(0.0f)));
    return times_power_of_2(of_fraction(bounded, s), half.n, half.bits) *
           select(positive, broadcast(2.0f), broadcast(1.0f));
  }
};
UNROLL_INLINE Vec exp(Vec x) { return Exp::apply(x); }

/// exp for x <= 0, within 0.57 ULP, as what is computed from it needs: root + (root (e^r - 1) + rest) rounds once where
/// it counts.
UNROLL_INLINE Vec exp_not_positive(Vec x) {
  const Vec bounded = max(broadcast(kExpZero), x);
  const Sixteenths s = sixteenths(bounded);
  const Vec root = lookup(kRoots, s.bits);
  const Vec e_r_minus_1 = exp_minus_1_of_sixteenth(without_exponent(bounded, s.n));
  return times_power_of_2(root + fma(root, e_r_minus_1, lookup(kRootRests, s.bits)), s.n, s.bits);
}

/// The same for an x that is a rounded difference, whose rounding costs up to half a unit for each 1 of |x|. Leaving
/// out kLn2Rest adds 1/22 to that, and leaving out the rests of the roots half a unit to all.
UNROLL_INLINE Vec exp_of_difference(Vec x) {
  const Vec bounded = max(broadcast(kExpZero), x);
  const Sixteenths s = sixteenths(bounded);
  const Vec root = lookup(kRoots, s.bits);
  const Vec r = fma(s.n, broadcast(-kLn2), bounded);
  return times_power_of_2(fma(root, exp_minus_1_of_sixteenth(r), root), s.n, s.bits);
}

/// rest + f^2 q(f), log(1 + f) = f + f^2 q(f), for f in [sqrt(1/2) - 1, sqrt(2) - 1].
/// log(1 + f)/f = 1 + f q, degree 9; error 0.07 * 2^-24.
UNROLL_INLINE Vec log_tail(Vec f, Vec rest) {
  const Vec z = f * f;
  const Vec q01 = fma(f, broadcast(0x1.55555p-2f), broadcast(-0x1.fffff8p-2f));
  const Vec q23 = fma(f, broadcast(0x1.99a41ap-3f), broadcast(-0x1.000432p-2f));
  const Vec q45 = fma(f, broadcast(0x1.226dfcp-3f), broadcast(-0x1.5425c4p-3f));
  const Vec q67 = fma(f, broadcast(0x1.0860cep-3f), broadcast(-0x1.0f3fa6p-3f));
  const Vec q = fma(z, fma(z, fma(z, fma(z, broadcast(-0x1.38472ap-4f), q67), q45), q23), q01);
  return fma(z, q, rest);
}

/// x = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); log x = e ln 2 + log(1 + f).
UNROLL_INLINE Vec log(Vec x) {
  const Ints bits = float_to_bits(x);
  const Ints exponent = shift_right_arithmetic<23>(bits - broadcast_int(0x3f3504f3));  // the bits of sqrt(1/2)
  const Vec e = to_float(exponent);
  const Vec f = bits_to_float(bits - shift_left<23>(exponent)) - broadcast(1.0f);
  const Vec fraction = f + log_tail(f, e * broadcast(kLn2Rest));
  const Vec finite = fma(e, broadcast(kLn2), fraction);
  const Vec zero_or_invalid = select(x == broadcast(0.0f), broadcast(-kInfinity), broadcast(kNotANumber));
  return select(x == broadcast(kInfinity), x, select(broadcast(0.0f) < x, finite, zero_or_invalid));
}

/// The first half of tanh or sigmoid: a function of the remainder r of the argument, and the multiple of ln 2 without
/// it. Maps and cells take the halves of several vectors one after the other where a whole function is too long a
/// chain. end() is given the argument again, which some functions need.
struct Halfway {
  Vec of_remainder, rounded;
};

/// tanh a = c + g (t (2 + c) - c) / ((1 + g) + t c), a = |x|, g = 2^-n, t = tanh r, r = a - n ln(2)/2: the addition
/// theorem after the plain number c = 1 - g has been taken out, so that the quotient, whose error is 1.5 of its own
/// units, is small against the result. For n = 0 the quotient is t itself. r is in [0, 0.3467], which is where both
/// parts of the quotient round least. tanh(r)/r = 1 + u P(u), u = r^2, degree 5; error 0.62 * 2^-24.
struct Tanh {
  static constexpr float kMost = kInfinity;

  static UNROLL_INLINE Halfway begin(Vec x) {
    constexpr float kOne = 9.1f;            // tanh rounds to 1 from 9.0109 on
    constexpr float kHalfRange = 0.17328f;  // a little below ln(2)/4, so that n is 0 for 0
    // Of a sum with it the low bits are those of 127 - n, the exponent of g.
    constexpr float kHalfRounder = 0x1.8p+22f + 63.5f;
    const Vec a = min(broadcast(kOne), abs(x));
    const Vec rounded = fma(broadcast(kHalfRange) - a, broadcast(kLog2E), broadcast(kHalfRounder));  // in halves
    const Vec minus_half_n = rounded - broadcast(kHalfRounder);
    // Without kLn2Rest: its share of r is below 2^-29 where the derivative is not small.
    const Vec r = fma(minus_half_n, broadcast(kLn2), a);
    const Vec u = r * r;
    const Vec p = fma(fma(u, broadcast(-0x1.9364cep-5f), broadcast(0x1.10688p-3f)), u, broadcast(-0x1.5553bp-2f));
    return {fma(r * u, p, r), rounded};
  }

  static UNROLL_INLINE Vec end(const Halfway& half, Vec x) {
    const Vec t = half.of_remainder, one = broadcast(1.0f);
    const Vec g = bits_to_float(exponent_bits(half.rounded)), c = one - g;
    const Vec quotient = fma(t, broadcast(2.0f) + c, -c) / fma(t, c, one + g);
    return with_sign(fma(quotient, g, c), x);
  }

  static UNROLL_INLINE Vec near(Vec x) { return end(begin(x), x); }
  static UNROLL_INLINE Vec apply(Vec x) { return near(x); }
};
UNROLL_INLINE Vec tanh(Vec x) { return Tanh::apply(x); }

/// 1 / (1 + e^-x) = k / (k + h e^-r), h = k 2^-n, r = x - n ln 2. The rounding of the divisor is the largest error, up
/// to 1 ULP for k = 1, where it falls just above a power of two; k = 5/4 makes it 0.8.
///
/// k + h is exact for |n| <= 21; beyond, it would add as much again. A vector with an element there, which gates hardly
/// ever reach, is computed another way too: e / (1 + e) = e - e^2 and 1 / (1 + e) = 1 - e, e = e^-|x|, are then right
/// to far below the last place.
struct Sigmoid {
  static constexpr float kMost = 14.0f;  ///< near() and the halves are for |x| of at most this much

  static UNROLL_INLINE Halfway begin(Vec x) {
    const Vec rounded = rounded_exponent(x);
    return {one_minus_exp_near_0(without_exponent(x, rounded - broadcast(kRounder))), rounded};
  }

  static UNROLL_INLINE Vec end(const Halfway& half) {
    constexpr float k = 1.25f;
    const Vec h = bits_to_float(bits_of(k) - exponent_bits(half.rounded));
    return broadcast(k) / fnma(h, half.of_remainder, broadcast(k) + h);
  }

  static UNROLL_INLINE Vec end(const Halfway& half, Vec) { return end(half); }

  static UNROLL_INLINE Vec near(Vec x) { return end(begin(x)); }

  static UNROLL_INLINE Vec apply(Vec x) {
    const Vec of_near = near(x);
    const Mask far = broadcast(kMost) < abs(x);
    if (!any(far)) [[likely]]
      return of_near;
    const Vec e = exp_not_positive(-abs(x));
    return select(far, select(x < broadcast(0.0f), fnma(e, e, e), broadcast(1.0f) - e), of_near);
  }
};
UNROLL_INLINE Vec sigmoid(Vec x) { return Sigmoid::apply(x); }

/// The sigmoid of any argument in two steps, as a near one: the first only keeps it.
struct AnySigmoid {
  static UNROLL_INLINE Halfway begin(Vec x) { return {x, x}; }
  static UNROLL_INLINE Vec end(const Halfway& kept) { return sigmoid(kept.of_remainder); }
};

/// 1 - e^-x for x >= 0, to the last bits near 0 too: (1 - h) + h (1 - e^-r), h = 2^-n.
UNROLL_INLINE Vec one_minus_exp(Vec x) {
  constexpr float kOne = 18.0f;  // the result rounds to 1
  const Vec y = min(broadcast(kOne), x);
  const Vec rounded = rounded_exponent(y);
  const Vec r = without_exponent(y, rounded - broadcast(kRounder));
  const Vec h = bits_to_float(bits_of(1.0f) - exponent_bits(rounded));
  return fma(h, one_minus_exp_near_0(r), broadcast(1.0f) - h);
}

/// log(1 + t) for t in [0, 0.285] = t - t^2 q(t).
/// (t - log(1 + t))/t^2, degree 5; error 0.07 * 2^-24 of log(1 + t).
UNROLL_INLINE Vec log_1_plus_small(Vec t) {
  const Vec z = t * t;
  const Vec q01 = fnma(t, broadcast(0x1.555404p-2f), broadcast(0x1.fffffep-2f));
  const Vec q23 = fnma(t, broadcast(0x1.93d7cp-3f), broadcast(0x1.ff9ccap-3f));
  const Vec q45 = fnma(t, broadcast(0x1.258c34p-4f), broadcast(0x1.2c82f6p-3f));
  return fnma(z, fma(z, fma(z, q45, q23), q01), t);
}

/// log(1 + e^x) = x/2 + ln 2 + log cosh(x/2) for |x| <= kNear, where the last part is small: the sum of the first two
/// keeps its rounding error. Beyond, max(x, 0) + log(1 + e^-|x|).
/// log cosh(x/2)/u, u = x^2, [0, 1.59], degree 4; error 0.4 * 2^-24.
UNROLL_INLINE Vec softplus(Vec x) {
  constexpr float kNear = 1.2587f;  // softplus(-kNear) is 1/4
  const Vec u = x * x;
  const Vec half = broadcast(0.5f) * x;
  const Vec sum = broadcast(kLn2) + half;
  const Vec rest = (broadcast(kLn2) - sum + half) + broadcast(kLn2Rest);
  const Vec p01 = fnma(u, broadcast(0x1.555458p-8f), broadcast(0x1p-3f));
  const Vec p234 = fma(u, fma(u, broadcast(0x1.a46e72p-20f), broadcast(-0x1.ae2f3cp-16f)), broadcast(0x1.6bb52ep-12f));
  const Vec near = sum + fma(u, fma(u * u, p234, p01), rest);
  const Vec far = max(broadcast(0.0f), x) + log_1_plus_small(exp_not_positive(-abs(x)));
  return select(abs(x) < broadcast(kNear), near, far);
}

}  // namespace unroll::UNROLL_ISA
