// How exact are softmax, log-softmax and cross-entropy? For random scores in [-range, range) and rows of several
// lengths the worst error against double precision, the same for every instruction set:
//
//   p          of probabilities, in ULP, those flushed to 0 apart; the rounding of x - maximum counts e^(x - maximum)
//   times
//              as much as it is, so small probabilities are less exact, up to half an ULP of |x - maximum| each
//   large p    of probabilities of at least a thousandth of the row's largest
//   log p      in ULP of max(1, |log p|)
//   loss       in ULP of max(1, loss)
//   gradient   of the loss, in units of 2^-24: it is p - 1 or p
//   sum        |sum of the probabilities - 1| in units of 2^-24
//
// Leaves with 1 if an instruction set differs from generic.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

#include "runtime/dispatch.h"
#include "runtime/floating_point.h"
#include "runtime/thread_pool.h"

namespace {

using unroll::Kernels;

constexpr double kSmallestNormal = 0x1p-126;

struct Worst {
  double p = 0, large_p = 0, log_p = 0, loss = 0, gradient = 0, sum = 0;
};

double ulps(double actual, double exact, double at_least) {
  int exponent;
  std::frexp(std::max(std::fabs(exact), at_least), &exponent);
  return std::fabs(actual - exact) / std::ldexp(1.0, exponent - 24);
}

void raise(double& worst, double error) { worst = std::max(worst, error); }

/// What the kernels make of rows of scores: probabilities, logarithms, gradients, then losses.
std::vector<float> run(const Kernels& kernels, int64_t rows, int64_t columns, const std::vector<float>& x,
                       const std::vector<int32_t>& labels, unroll::Parallel& pool) {
  const size_t size = x.size();
  std::vector<float> y(3 * size + labels.size());
  kernels.softmax(rows, columns, x.data(), 1.0f, &y[0], pool);
  kernels.log_softmax(rows, columns, x.data(), 1.0f, &y[size], pool);
  kernels.softmax_cross_entropy(rows, columns, x.data(), labels.data(), nullptr, 0.0f, 1.0f, &y[3 * size], &y[2 * size],
                                pool);
  return y;
}

Worst measure(int64_t rows, int64_t columns, const std::vector<float>& x, const std::vector<int32_t>& labels,
              const std::vector<float>& y) {
  Worst worst;
  const size_t size = x.size();
  for (int64_t r = 0; r < rows; ++r) {
    const float* const row = &x[static_cast<size_t>(r * columns)];
    const double maximum = *std::max_element(row, row + columns);
    double sum = 0, sum_of_p = 0;
    for (int64_t c = 0; c < columns; ++c) sum += std::exp(row[c] - maximum);
    for (int64_t c = 0; c < columns; ++c) {
      const size_t i = static_cast<size_t>(r * columns + c);
      const double log_p = row[c] - maximum - std::log(sum), p = std::exp(log_p);
      sum_of_p += y[i];
      if (y[i] != 0 || p >= 2 * kSmallestNormal) raise(worst.p, ulps(y[i], p, kSmallestNormal));
      if (row[c] >= maximum - std::log(1000.0)) raise(worst.large_p, ulps(y[i], p, kSmallestNormal));
      raise(worst.log_p, ulps(y[size + i], log_p, 1.0));
      raise(worst.gradient, std::fabs(y[2 * size + i] - (c == labels[r] ? p - 1 : p)) * 0x1p24);
      if (c == labels[r]) raise(worst.loss, ulps(y[3 * size + r], -log_p, 1.0));
    }
    raise(worst.sum, std::fabs(sum_of_p - 1) * 0x1p24);
  }
  return worst;
}

}  // namespace

int main() {
  const unroll::FlushDenormals scope;
  unroll::ThreadPool alone(1);
  std::mt19937 generator(1);
  bool same = true;
  std::printf("%8s %6s %9s %9s %9s %9s %9s %9s\n", "columns", "range", "p", "large p", "log p", "loss", "gradient",
              "sum");
  for (const int64_t columns : {1, 2, 65, 10'000, 100'000}) {
    for (const float range : {1.0f, 10.0f, 80.0f}) {
      const int64_t rows = std::max<int64_t>(20, 200'000 / columns);
      std::vector<float> x(static_cast<size_t>(rows * columns));
      for (float& value : x) value = range * (static_cast<float>(generator() >> 8) * 0x1p-23f - 1.0f);
      std::vector<int32_t> labels(static_cast<size_t>(rows));
      for (int32_t& label : labels) label = static_cast<int32_t>(generator() % columns);
      const std::vector<float> y = run(unroll::generic::kKernels, rows, columns, x, labels, alone);
      for (const Kernels* kernels : unroll::supported_kernels()) {
        same = same && run(*kernels, rows, columns, x, labels, alone) == y;
      }
      const Worst worst = measure(rows, columns, x, labels, y);
      std::printf("%8ld %6.0f %9.2f %9.2f %9.2f %9.2f %9.2f %9.2f\n", static_cast<long>(columns), range, worst.p,
                  worst.large_p, worst.log_p, worst.loss, worst.gradient, worst.sum);
    }
  }
  std::printf("%s\n", same ? "all instruction sets give the same bits" : "instruction sets DIFFER");
  return same ? 0 : 1;
}
