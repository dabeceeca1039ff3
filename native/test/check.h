#pragma once

/// The little that the native tests need: bit-for-bit comparison of every instruction set with `generic`, random data,
/// and a count of failures as the exit code.

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "runtime/dispatch.h"
#include "runtime/floating_point.h"
#include "runtime/thread_pool.h"

namespace unroll::test {

inline int failures = 0;

/// FNV-1a over the bits of every checked result, so that runs on different machines can be compared.
inline uint64_t bits_seen = 0xcbf29ce484222325;

inline void remember(float value) {
  // The payload and sign of a NaN are not part of the promise.
  bits_seen = (bits_seen ^ std::bit_cast<uint32_t>(std::isnan(value) ? NAN : value)) * 0x100000001b3;
}

inline void fail(const std::string& message) {
  if (++failures <= 20) std::fprintf(stderr, "FAILED: %s\n", message.c_str());
}

inline void check(bool condition, const std::string& message) {
  if (!condition) fail(message);
}

using Floats = std::vector<float>;

inline Floats random_floats(size_t size, uint32_t seed, float low = -1.0f, float high = 1.0f) {
  std::mt19937 generator(seed);
  Floats values(size);
  for (float& value : values) value = low + (high - low) * static_cast<float>(generator() >> 8) * 0x1p-24f;
  return values;
}

/// Equal to the bit; any NaN equals any other.
inline bool same(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}

inline void check_same(const Floats& actual, const Floats& expected, const std::string& what) {
  if (actual.size() != expected.size()) return fail(what + ": sizes differ");
  for (size_t i = 0; i < actual.size(); ++i) {
    if (same(actual[i], expected[i])) continue;
    char text[160];
    std::snprintf(text, sizeof text, ": element %zu is %a, expected %a", i, static_cast<double>(actual[i]),
                  static_cast<double>(expected[i]));
    return fail(what + text);
  }
}

/// |actual - expected| <= tolerance * (1 + |expected|)
inline void check_close(double actual, double expected, double tolerance, const std::string& what) {
  if (std::abs(actual - expected) <= tolerance * (1.0 + std::abs(expected))) return;
  fail(what + ": " + std::to_string(actual) + ", expected " + std::to_string(expected));
}

/// Runs `compute` with every instruction set that the processor has, alone and with two and three threads; all results
/// must equal, to the bit, those of `generic` alone, which are returned.
inline Floats same_everywhere(const std::string& what,
                              const std::function<Floats(const Kernels& kernels, Parallel& pool)>& compute) {
  static ThreadPool one(1), two(2), three(3);
  const Floats expected = compute(generic::kKernels, one);
  for (const Kernels* table : supported_kernels()) {
    for (ThreadPool* const pool : {&one, &two, &three}) {
      const std::string threads = " with " + std::to_string(pool->width()) + " threads";
      check_same(compute(*table, *pool), expected, what + " by " + table->name + threads);
    }
  }
  for (const float value : expected) remember(value);
  return expected;
}

/// Panels are padded to whole ones of 16 columns.
inline Floats pack(const Kernels& kernels, Parallel& pool, const float* w, int64_t ldw, int64_t k, int64_t columns,
                   int64_t groups, bool transposed) {
  Floats panels(static_cast<size_t>(groups * ((columns / groups + 15) / 16) * 16 * k));
  kernels.pack_panels(w, ldw, k, columns, groups, transposed, panels.data(), pool);
  return panels;
}

inline int finish(const char* name) {
  const std::string outcome = failures == 0 ? "passed" : std::to_string(failures) + " failures";
  std::printf("%s: %s, bits %016llx\n", name, outcome.c_str(), static_cast<unsigned long long>(bits_seen));
  return failures == 0 ? 0 : 1;
}

}  // namespace unroll::test
