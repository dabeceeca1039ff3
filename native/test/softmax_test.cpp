#include <algorithm>

#include "test/check.h"

/// Softmax and cross-entropy.

namespace unroll::test {
namespace {

void check_softmax(int64_t columns) {
  const int64_t rows = 9;
  const Floats x = random_floats(rows * columns, 1, -5.0f, 5.0f), d_y = random_floats(rows * columns, 2);
  std::vector<int32_t> labels(rows);
  for (int64_t r = 0; r < rows; ++r) labels[r] = static_cast<int32_t>(r * 5 % columns);
  const std::string what = "softmax of " + std::to_string(columns) + " columns";
  const size_t size = x.size();
  const Floats all = same_everywhere(what, [&](const Kernels& kernels, Parallel& pool) {
    Floats y(4 * size + rows);
    kernels.softmax(rows, columns, x.data(), 0.7f, &y[0], pool);
    kernels.log_softmax(rows, columns, x.data(), 0.7f, &y[size], pool);
    kernels.softmax_backward(rows, columns, &y[0], d_y.data(), 0.7f, &y[2 * size], pool);
    std::copy(x.begin(), x.end(), &y[3 * size]);  // in place
    kernels.softmax_cross_entropy(rows, columns, &y[3 * size], labels.data(), nullptr, 0.0f, 0.25f, &y[4 * size],
                                  &y[3 * size], pool);
    return y;
  });
  for (int64_t r = 0; r < rows; ++r) {
    double scaled_sum = 0.0, sum = 0.0;
    for (int64_t c = 0; c < columns; ++c) {
      scaled_sum += std::exp(0.7f * static_cast<double>(x[r * columns + c]));
      sum += std::exp(static_cast<double>(x[r * columns + c]));
    }
    for (int64_t c = 0; c < columns; ++c) {
      const int64_t i = r * columns + c;
      const double p = std::exp(0.7f * static_cast<double>(x[i])) / scaled_sum;
      check_close(all[i], p, 1e-6, what);
      check_close(all[size + i], std::log(p), 1e-6, "log " + what);
      const double d = std::exp(static_cast<double>(x[i])) / sum - (c == labels[r] ? 1.0 : 0.0);
      check_close(all[3 * size + i], 0.25 * d, 1e-6, "gradient of " + what);
    }
    check_close(all[4 * size + r], std::log(sum) - x[r * columns + labels[r]], 1e-6, "loss of " + what);
  }
}

/// The target's part in the columns that are not the label's.
void check_label_smoothing(int64_t rows, int64_t columns, float smoothing) {
  const int64_t size = rows * columns;
  Floats x = random_floats(size, 1, -4.0f, 4.0f);
  const Floats weights = random_floats(rows, 2, 0.5f, 2.0f);
  std::vector<int32_t> labels(rows);
  for (int64_t r = 0; r < rows; ++r) labels[r] = static_cast<int32_t>(r * 7 % columns);
  for (int64_t i = 0; i < columns; ++i) x[i] += 1e6f;  // row 0: differences count alone
  const std::string what = "smoothed loss of " + std::to_string(columns) + " columns";
  const Floats all = same_everywhere(what, [&](const Kernels& kernels, Parallel& pool) {
    Floats y(size + rows), losses(rows);
    std::copy(x.begin(), x.end(), y.begin());  // in place
    kernels.softmax_cross_entropy(rows, columns, y.data(), labels.data(), weights.data(), smoothing, 0.25f, &y[size],
                                  y.data(), pool);
    kernels.softmax_cross_entropy(rows, columns, x.data(), labels.data(), weights.data(), smoothing, 0.25f,
                                  losses.data(), nullptr, pool);
    check(std::equal(losses.begin(), losses.end(), &y[size]), what + " without a gradient");
    return y;
  });
  for (int64_t r = 0; r < rows; ++r) {
    double sum = 0.0, loss = 0.0;
    const double top = *std::max_element(&x[r * columns], &x[r * columns] + columns);
    for (int64_t c = 0; c < columns; ++c) sum += std::exp(x[r * columns + c] - top);
    for (int64_t c = 0; c < columns; ++c) {
      const int64_t i = r * columns + c;
      const double target = (c == labels[r] ? 1.0 - smoothing : 0.0) + static_cast<double>(smoothing) / columns;
      loss -= target * (x[i] - top - std::log(sum));
      check_close(all[i], 0.25 * weights[r] * (std::exp(x[i] - top) / sum - target), 1e-6, "gradient of " + what);
    }
    check_close(all[size + r], weights[r] * loss, 1e-5, what);
  }
}

void check_smoothed_infinities() {
  constexpr float kNone = -INFINITY;
  const Floats all = same_everywhere("smoothed infinities", [&](const Kernels& kernels, Parallel& pool) {
    const Floats x = {kNone, 1, 2, 1, kNone, 2, kNone, kNone, kNone, 1e38f, -1e38f, 0};
    const std::vector<int32_t> labels = {0, 0, 0, 0};
    Floats y(12);
    for (const float smoothing : {0.1f, 1.0f}) {
      const int64_t at = smoothing == 1.0f ? 4 : 0;
      kernels.softmax_cross_entropy(4, 3, x.data(), labels.data(), nullptr, smoothing, 1.0f, &y[at], nullptr, pool);
    }
    return y;
  });
  for (const int64_t r : {0, 1, 4, 5}) check(all[r] == INFINITY, "smoothed loss of a score of -infinity");
  check_close(all[3], 0.1 * 1e38, 1e32, "smoothed loss of large scores");
  check(std::isnan(all[2]) && std::isnan(all[6]), "smoothed loss of nothing but -infinity");
}

/// Rows longer than what is kept in scratch memory, or a result larger than the caches: the bits of each row alone.
void check_large_softmax(int64_t rows, int64_t columns) {
  const size_t size = static_cast<size_t>(rows * columns);
  const Floats x = random_floats(size, 1, -5.0f, 5.0f), weights = random_floats(rows, 2);
  std::vector<int32_t> labels(rows);
  for (int64_t r = 0; r < rows; ++r) labels[r] = static_cast<int32_t>(r * 12'345 % columns);
  static ThreadPool alone(1);
  const auto run = [&](const Kernels& kernels, Parallel& pool, int64_t first, int64_t count, Floats* results) {
    const float* const from = &x[first * columns];
    const int64_t at = first * columns;
    kernels.softmax(count, columns, from, 0.7f, &results[0][at], pool);
    kernels.log_softmax(count, columns, from, 1.0f, &results[1][at], pool);
    kernels.softmax_cross_entropy(count, columns, from, &labels[first], &weights[first], 0.1f, 0.25f,
                                  &results[2][first], &results[3][at], pool);
  };
  Floats expected[] = {Floats(size), Floats(size), Floats(rows), Floats(size)};
  for (int64_t r = 0; r < rows; ++r) run(generic::kKernels, alone, r, 1, expected);
  everywhere([&](const Kernels& kernels, Parallel& pool, const std::string& how) {
    Floats actual[] = {Floats(size), Floats(size), Floats(rows), Floats(size)};
    run(kernels, pool, 0, rows, actual);
    for (int i = 0; i < 4; ++i) check_same(actual[i], expected[i], "large softmax" + how);
  });
}

}  // namespace
}  // namespace unroll::test

int main() {
  using namespace unroll::test;
  const unroll::FlushDenormals scope;
  for (const int64_t columns : {1, 2, 15, 16, 17, 31, 32, 33, 65, 100, 255, 256, 257, 1024, 1025, 2100}) {
    check_softmax(columns);
  }
  for (const int64_t columns : {1, 7, 65, 256, 257, 2100}) check_label_smoothing(9, columns, 0.1f);
  check_label_smoothing(2, 33, 1.0f);
  check_smoothed_infinities();
  check_label_smoothing(2, unroll::kNearScratchFloats + 5, 0.3f);
  check_large_softmax(3, unroll::kNearScratchFloats + 5);
  check_large_softmax(140, 12'501);  // 7 MB
  return finish("softmax");
}
