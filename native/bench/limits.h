#pragma once

/// What bench programs share: repeated timing, and the FMA peak of one core measured by register-only FMAs.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace unroll::bench {

inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Shortest time of one call of `body`, over at least `rounds` rounds.
template <class Body>
double best_time(int rounds, const Body& body) {
  double best = 1e30;
  for (int round = 0; round < rounds; ++round) {
    const double start = seconds();
    body();
    best = std::min(best, seconds() - start);
  }
  return best;
}

constexpr int64_t kPeakSteps = 500'000;  // a millisecond, as what is compared with it
constexpr int kPeakChains = 12;          // independent ones: more than latency times throughput

#if defined(__x86_64__)
/// Dependent chains of FMAs in registers; `step` adds one FMA to the chain of a lane set.
#define UNROLL_PEAK_LOOP(Register, set1, fmadd, add)                                                             \
  Register chain[kPeakChains];                                                                                   \
  const Register factor = set1(0.999f), term = set1(0.001f);                                                     \
  for (int c = 0; c < kPeakChains; ++c) chain[c] = set1(static_cast<float>(c));                                  \
  for (int64_t step = 0; step < kPeakSteps; ++step) {                                                            \
    _Pragma("GCC unroll 16") for (int c = 0; c < kPeakChains; ++c) { chain[c] = fmadd(chain[c], factor, term); } \
  }                                                                                                              \
  for (int c = 1; c < kPeakChains; ++c) chain[0] = add(chain[0], chain[c]);                                      \
  volatile float sink = chain[0][0];                                                                             \
  static_cast<void>(sink)

__attribute__((target("avx2,fma"), noinline)) inline void run_avx2_fmas() {
  UNROLL_PEAK_LOOP(__m256, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_add_ps);
}
__attribute__((target("avx512f"), noinline)) inline void run_avx512_fmas() {
  UNROLL_PEAK_LOOP(__m512, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_add_ps);
}
#undef UNROLL_PEAK_LOOP

/// Operations per second of one core (an FMA counts two for every lane) in the registers of an instruction set: the
/// best of three.
inline double fma_peak(std::string_view instruction_set) {
  const bool wide = instruction_set == "avx512";
  const double time = best_time(3, wide ? run_avx512_fmas : run_avx2_fmas);
  return 2.0 * (wide ? 16 : 8) * kPeakChains * static_cast<double>(kPeakSteps) / time;
}
#else
inline double fma_peak(std::string_view) { return 0.0; }
#endif

}  // namespace unroll::bench
