// How exact are the elementary functions? Runs every instruction set this processor has over all 2^32 floats, in
// ascending order, against double precision:
//
//   elementary_ulp [--sample N]      every N-th float only
//
//   worst ULP    |computed - exact| / spacing of the floats at the exact value
//   falls        neighbours x < x' with f(x) > f(x')
//   ends         infinities, zeros, NaN and overflow as IEEE says
//   != generic   results whose bits differ from those of the generic build
//
// Leaves with 1 if a bound is passed, a fall is seen, an end is wrong or a bit differs.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "runtime/dispatch.h"
#include "runtime/floating_point.h"
#include "runtime/thread_pool.h"

namespace {

using unroll::Kernels;
using Map = decltype(Kernels::exp);

constexpr double kInfinity = HUGE_VAL;
constexpr double kNan = NAN;
constexpr double kSmallestNormal = 0x1p-126;

/// The one place that knows where the functions come from.
std::span<const Kernels* const> contenders() { return unroll::supported_kernels(); }

struct End {
  float x;
  double expected;
};

struct Function {
  const char* name;
  Map Kernels::*map;
  double (*exact)(double x);
  double bound;
  std::vector<End> ends;
};

const Function kFunctions[] = {
    {"exp",
     &Kernels::exp,
     [](double x) { return std::exp(x); },
     1.0,
     {{0, 1},
      {-0.0f, 1},
      {1e-40f, 1},
      {HUGE_VALF, kInfinity},
      {-HUGE_VALF, 0},
      {89, kInfinity},
      {-88, 0},
      {NAN, kNan}}},
    {"log",
     &Kernels::log,
     [](double x) { return std::log(x); },
     1.0,
     {{1, 0},
      {0, -kInfinity},
      {-0.0f, -kInfinity},
      {1e-40f, -kInfinity},
      {-1e-40f, -kInfinity},
      {HUGE_VALF, kInfinity},
      {-HUGE_VALF, kNan},
      {-1, kNan},
      {NAN, kNan}}},
    {"tanh",
     &Kernels::tanh,
     [](double x) { return std::tanh(x); },
     1.5,
     {{0, 0},
      {-0.0f, -0.0},
      {0x1p-126f, 0x1p-126},
      {-0x1p-100f, -0x1p-100},
      {10, 1},
      {-10, -1},
      {HUGE_VALF, 1},
      {-HUGE_VALF, -1},
      {NAN, kNan}}},
    {"sigmoid",
     &Kernels::sigmoid,
     [](double x) { return 1 / (1 + std::exp(-x)); },
     1.5,
     {{0, 0.5}, {-0.0f, 0.5}, {HUGE_VALF, 1}, {-HUGE_VALF, 0}, {100, 1}, {-100, 0}, {NAN, kNan}}},
    {"softplus",
     &Kernels::softplus,
     [](double x) { return (x < 0 ? 0 : x) + std::log1p(std::exp(-std::fabs(x))); },
     1.6,
     {{0, 0x1.62e43p-1}, {HUGE_VALF, kInfinity}, {-HUGE_VALF, 0}, {100, 100}, {-100, 0}, {NAN, kNan}}},
};

struct Row {
  double worst = 0;
  float worst_x = 0;
  uint64_t falls = 0;
  uint64_t differs = 0;

  void add(const Row& other) {
    if (other.worst > worst) worst = other.worst, worst_x = other.worst_x;
    falls += other.falls;
    differs += other.differs;
  }
};

bool same(float a, float b) { return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) || (a != a && b != b); }

/// Distance of the floats around a value: its power of two times 2^-23.
double spacing(double exact) {
  const double bounded = std::clamp(std::fabs(exact), kSmallestNormal, 0x1p127);
  return std::bit_cast<double>(std::bit_cast<uint64_t>(bounded) & 0x7ff0000000000000) * 0x1p-23;
}

/// A denormal exact value may be flushed. Infinity for a finite value counts as 2^128, and the other way round.
double ulps(float computed, double exact) {
  if (std::isnan(exact) || std::isnan(computed)) return std::isnan(exact) && std::isnan(computed) ? 0 : kInfinity;
  if (computed == 0 && std::fabs(exact) < kSmallestNormal) return 0;
  if (std::isinf(exact) && std::isinf(computed)) return computed == exact ? 0 : kInfinity;
  const auto finite = [](double v) { return std::clamp(v, -0x1p128, 0x1p128); };
  return std::fabs(finite(computed) - finite(exact)) / spacing(exact);
}

/// The i-th float in ascending order: NaNs, -infinity, ..., -0, 0, ..., infinity, NaNs.
float nth_float(uint64_t i) {
  const auto key = static_cast<uint32_t>(i);
  return std::bit_cast<float>(key >> 31 ? key ^ 0x80000000u : ~key);
}

/// One row per contender, over the floats first, first + step, ... below last.
std::vector<Row> measure(const Function& function, uint64_t first, uint64_t last, uint64_t step) {
  constexpr int kChunk = 4096;
  const unroll::FlushDenormals scope;
  unroll::ThreadPool alone(1);
  std::vector<float> x(kChunk), y(kChunk), generic(kChunk);
  std::vector<double> exact(kChunk);
  std::vector<Row> rows(contenders().size());
  std::vector<float> before(rows.size(), -HUGE_VALF);
  for (uint64_t i = first; i < last;) {
    // The last chunk repeats its last float, so that every chunk is full.
    for (int k = 0; k < kChunk; ++k) {
      x[k] = nth_float(std::min(i, last - 1));
      exact[k] = function.exact(x[k]);
      i += step;
    }
    for (size_t c = 0; c < rows.size(); ++c) {
      (contenders()[c]->*function.map)(x.data(), y.data(), kChunk, alone);
      if (c == 0) generic = y;  // the list begins with generic
      Row& row = rows[c];
      for (int k = 0; k < kChunk; ++k) {
        const double error = ulps(y[k], exact[k]);
        if (error > row.worst) row.worst = error, row.worst_x = x[k];
        row.falls += y[k] < before[c];
        row.differs += !same(y[k], generic[k]);
        before[c] = y[k];
      }
    }
  }
  return rows;
}

bool ends_exact(const Function& function, const Kernels& kernels) {
  const unroll::FlushDenormals scope;
  unroll::ThreadPool alone(1);
  bool exact = true;
  for (const End& end : function.ends) {
    float x[16], y[16];
    std::fill(x, x + 16, end.x);
    (kernels.*function.map)(x, y, 16, alone);
    if (same(y[0], static_cast<float>(end.expected))) continue;
    std::printf("%s %s(%a) = %a, not %a\n", kernels.name, function.name, end.x, y[0], end.expected);
    exact = false;
  }
  return exact;
}

/// Halves the floats between two threads, at 0; the second half begins with the last float of the first, so that no
/// pair of neighbours is missed.
std::vector<Row> measure_all(const Function& function, uint64_t step) {
  constexpr uint64_t kCount = uint64_t{1} << 32;
  const uint64_t middle = kCount / 2 / step * step;
  std::vector<Row> negative;
  std::thread other([&] { negative = measure(function, 0, middle + 1, step); });
  std::vector<Row> rows = measure(function, middle, kCount, step);
  other.join();
  for (size_t c = 0; c < rows.size(); ++c) rows[c].add(negative[c]);
  return rows;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t step = 1;
  if (argc == 3 && std::string_view(argv[1]) == "--sample") {
    step = std::strtoull(argv[2], nullptr, 10);
  } else if (argc != 1) {
    step = 0;
  }
  if (step == 0 || step > 1 << 30) {
    std::fprintf(stderr, "usage: %s [--sample N]    N from 1 to 2^30\n", argv[0]);
    return 2;
  }
  bool good = true;
  std::printf("%-8s %-8s %9s  %-15s %6s  %-5s  %10s\n", "function", "set", "worst ULP", "at", "falls", "ends",
              "!= generic");
  for (const Function& function : kFunctions) {
    const std::vector<Row> rows = measure_all(function, step);
    for (size_t c = 0; c < rows.size(); ++c) {
      const Kernels& kernels = *contenders()[c];
      const bool exact = ends_exact(function, kernels);
      std::printf("%-8s %-8s %9.4f  %-15a %6llu  %-5s  %10llu\n", function.name, kernels.name, rows[c].worst,
                  rows[c].worst_x, static_cast<unsigned long long>(rows[c].falls), exact ? "exact" : "wrong",
                  static_cast<unsigned long long>(rows[c].differs));
      std::fflush(stdout);
      good = good && exact && rows[c].worst <= function.bound && rows[c].falls == 0 && rows[c].differs == 0;
    }
  }
  return good ? 0 : 1;
}
