// How long does an element take? Prints nanoseconds per element of the elementary functions and of the softmax family,
// for every instruction set that this processor has, on one thread; functions and sets take turns, the best turn
// counts.

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "bench/limits.h"
#include "runtime/dispatch.h"
#include "runtime/floating_point.h"
#include "runtime/thread_pool.h"

namespace {

using unroll::Kernels;
using Map = decltype(Kernels::exp);

constexpr int64_t kSize = 65'536;
constexpr int kTurns = 15;
constexpr double kSecondsOfATurn = 0.004;

struct Case {
  std::string name;
  int64_t elements;
  std::function<void(const Kernels&)> run;
};

/// Spread over [low, high) without order, so that nothing is learnt from the branches.
std::vector<float> scattered(int64_t size, float low, float high) {
  std::vector<float> values(static_cast<size_t>(size));
  for (int64_t i = 0; i < size; ++i) {
    values[static_cast<size_t>(i)] =
        low + (high - low) * static_cast<float>(i * 7919 % size) / static_cast<float>(size);
  }
  return values;
}

std::vector<Case> cases(unroll::Parallel& alone) {
  std::vector<Case> all;
  const auto add_map = [&](const char* name, Map Kernels::*map, float low, float high) {
    all.push_back({name, kSize,
                   [&alone, map, x = scattered(kSize, low, high), y = std::vector<float>(kSize)](
                       const Kernels& kernels) mutable { (kernels.*map)(x.data(), y.data(), kSize, alone); }});
  };
  add_map("exp", &Kernels::exp, -10, 10);
  add_map("log", &Kernels::log, 0.001f, 1000);
  add_map("tanh", &Kernels::tanh, -5, 5);
  add_map("sigmoid", &Kernels::sigmoid, -5, 5);
  add_map("softplus", &Kernels::softplus, -5, 5);

  struct Shape {
    int64_t rows, columns;
  };
  for (const Shape shape : {Shape{1024, 65}, Shape{256, 10'000}, Shape{2048, 10'000}}) {
    const int64_t size = shape.rows * shape.columns;
    const std::string rows_and_columns = std::to_string(shape.rows) + " x " + std::to_string(shape.columns);
    const auto add_rows = [&](const char* name, auto run) {
      all.push_back({name + rows_and_columns, size,
                     [&alone, shape, run, x = scattered(size, -5, 5),
                      y = std::vector<float>(size)](const Kernels& kernels) mutable {
                       run(kernels, shape.rows, shape.columns, x.data(), y.data(), alone);
                     }});
    };
    add_rows("softmax ", [](const Kernels& k, int64_t rows, int64_t columns, const float* x, float* y,
                            unroll::Parallel& pool) { k.softmax(rows, columns, x, 1.0f, y, pool); });
    add_rows("log_softmax ", [](const Kernels& k, int64_t rows, int64_t columns, const float* x, float* y,
                                unroll::Parallel& pool) { k.log_softmax(rows, columns, x, 1.0f, y, pool); });
    add_rows("cross_entropy ", [labels = std::vector<int32_t>(shape.rows, 7), losses = std::vector<float>(shape.rows)](
                                   const Kernels& k, int64_t rows, int64_t columns, const float* x, float* y,
                                   unroll::Parallel& pool) mutable {
      k.softmax_cross_entropy(rows, columns, x, labels.data(), nullptr, 0.0f, 0.5f, losses.data(), y, pool);
    });
  }
  return all;
}

}  // namespace

int main() {
  const unroll::FlushDenormals scope;
  unroll::ThreadPool alone(1);
  const auto sets = unroll::supported_kernels().subspan(1);  // generic is for other processors
  std::vector<Case> all = cases(alone);
  std::vector<std::vector<double>> best(all.size(), std::vector<double>(sets.size(), 1e30));
  for (int turn = 0; turn < kTurns; ++turn) {
    for (size_t c = 0; c < all.size(); ++c) {
      for (size_t s = 0; s < sets.size(); ++s) {
        const auto run = [&] { all[c].run(*sets[s]); };
        const double once = unroll::bench::best_time(1, run);
        const int rounds = std::max(1, static_cast<int>(kSecondsOfATurn / once));
        best[c][s] = std::min({best[c][s], once, unroll::bench::best_time(rounds, run)});
      }
    }
  }
  std::printf("%-28s", "ns per element, one thread");
  for (const Kernels* set : sets) std::printf("%9s", set->name);
  std::printf("\n");
  for (size_t c = 0; c < all.size(); ++c) {
    std::printf("%-28s", all[c].name.c_str());
    for (const double time : best[c]) std::printf("%9.3f", time * 1e9 / static_cast<double>(all[c].elements));
    std::printf("\n");
  }
  return 0;
}
