/// Prints the single-core FMA peak and what the matrix product of (M, K, N) = (256, 256, 1024) reaches of it, measured
/// in turns in one run.

#include <cstdio>
#include <vector>

#include "bench/limits.h"
#include "runtime/dispatch.h"
#include "runtime/floating_point.h"
#include "runtime/memory.h"
#include "runtime/thread_pool.h"

namespace {

using unroll::Kernels;
namespace bench = unroll::bench;

struct Shape {
  int64_t m, k, n;
};

float* filled(int64_t size) {
  auto* data = static_cast<float*>(unroll::allocate(size * static_cast<int64_t>(sizeof(float))));
  for (int64_t i = 0; i < size; ++i) data[i] = static_cast<float>(i % 17) * 0.1f - 0.8f;
  return data;
}

void measure(const Kernels& kernels, Shape shape) {
  unroll::ThreadPool pool(1);
  float* const a = filled(shape.m * shape.k);
  float* const w = filled(shape.k * shape.n);
  float* const c = filled(shape.m * shape.n);
  float* const d_w = filled(shape.k * shape.n);
  float* const panels = filled(shape.k * (shape.n + 15));
  kernels.pack_panels(w, shape.n, shape.k, shape.n, 1, false, panels, pool);
  const double operations = 2.0 * static_cast<double>(shape.m * shape.k * shape.n);
  const int repeats = std::max(1, static_cast<int>(2e8 / operations));
  double forward = 1e30, transposed = 1e30, peak = 0.0;
  for (int turn = 0; turn < 20; ++turn) {
    peak = std::max(peak, bench::fma_peak(kernels.name));
    forward = std::min(forward, bench::best_time(3, [&] {
                         for (int i = 0; i < repeats; ++i) {
                           kernels.matmul(shape.m, shape.k, shape.n, a, shape.k, panels, unroll::WeightForm::kPanels,
                                          nullptr, false, c, shape.n, pool);
                         }
                       }));
    transposed = std::min(transposed, bench::best_time(3, [&] {
                            for (int i = 0; i < repeats; ++i) {
                              kernels.matmul_transposed(shape.m, shape.k, shape.n, a, shape.k, nullptr, c, shape.n,
                                                        nullptr, d_w, shape.n, nullptr, pool);
                            }
                          }));
  }
  const double rate = operations * repeats / forward, rate_transposed = operations * repeats / transposed;
  std::printf(
      "%-8s (%4ld,%4ld,%4ld)  FMA peak %6.1f GFLOP/s  matmul %6.1f = %5.1f %%  weight gradient %6.1f = %5.1f %%\n",
      kernels.name, shape.m, shape.k, shape.n, peak * 1e-9, rate * 1e-9, 100 * rate / peak, rate_transposed * 1e-9,
      100 * rate_transposed / peak);
  for (float* block : {a, w, c, d_w, panels}) unroll::release(block);
}

}  // namespace

int main() {
  const unroll::FlushDenormals scope;
  for (const Kernels* kernels : unroll::supported_kernels()) {
    if (kernels == &unroll::generic::kKernels) continue;
    for (const Shape shape : {Shape{256, 256, 1024}, Shape{32, 128, 512}, Shape{1600, 256, 256}, Shape{2048, 512, 512},
                              Shape{160, 10'000, 256}, Shape{6, 256, 256}, Shape{1, 256, 1024}}) {
      measure(*kernels, shape);
    }
  }
  return 0;
}
