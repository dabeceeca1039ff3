#include <algorithm>
#include <cmath>

#include "test/check.h"

/// Kernels over all the steps of a sequence, and over elements of steps: pooling, dropout, sums and columns of batches.

namespace unroll::test {
namespace {

/// A packed batch of these lengths, none above the one before it; the caller has the sequences the other way round.
struct Batch {
  explicit Batch(const std::vector<int32_t>& all) : lengths(all) {
    const int32_t count = lengths.empty() ? 0 : lengths[0];
    for (int32_t t = 0; t < count; ++t) {
      const auto has = [&](int32_t length) { return length > t; };
      offsets.push_back(offsets.back() + static_cast<int32_t>(std::ranges::count_if(lengths, has)));
    }
    for (size_t b = lengths.size(); b-- > 0;) order.push_back(static_cast<int32_t>(b));
  }

  Steps steps() const { return {offsets.data(), order.data(), static_cast<int64_t>(offsets.size()) - 1, sequences()}; }
  int64_t sequences() const { return static_cast<int64_t>(lengths.size()); }
  int64_t rows() const { return offsets.back(); }

  std::vector<int32_t> lengths, offsets = {0}, order;
};

void check_pooling(const Batch& batch, int64_t features) {
  const size_t pooled = static_cast<size_t>(batch.sequences() * features);
  const size_t size = static_cast<size_t>(batch.rows() * features);
  const Floats x = random_floats(size, 1), d_y = random_floats(pooled, 2);
  for (const PoolingKind kind : {PoolingKind::kSum, PoolingKind::kMean, PoolingKind::kMax}) {
    const Floats all = same_everywhere("pooling", [&](const Kernels& kernels, Parallel& pool) {
      Floats y(pooled + size + 1, 77.0f);
      kernels.pool_steps(kind, batch.steps(), features, x.data(), &y[0], pool);
      kernels.pool_steps_backward(kind, batch.steps(), features, x.data(), &y[0], d_y.data(), &y[pooled], pool);
      return y;
    });
    check(all.back() == 77.0f, "pooling writes past its end");
    for (int64_t b = 0; b < batch.sequences(); ++b) {
      for (int64_t j = 0; j < features; ++j) {
        const int64_t length = batch.lengths[b], at = batch.order[b] * features + j;
        const auto step = [&](int64_t t) { return (batch.offsets[t] + b) * features + j; };
        double sum = 0.0;
        int64_t largest = 0;
        for (int64_t t = 0; t < length; ++t) {
          sum += static_cast<double>(x[step(t)]);
          if (x[step(t)] > x[step(largest)]) largest = t;
        }
        const double divisor = kind == PoolingKind::kMean && length > 0 ? static_cast<double>(length) : 1.0;
        if (kind == PoolingKind::kMax) {
          check(all[at] == (length == 0 ? 0.0f : x[step(largest)]), "largest of a sequence");
        } else {
          // Sums on the way are below 32, so each of up to 300 is off by 1e-6 at most, and by chance in either
          // direction.
          check_close(all[at], sum / divisor, 2e-5, "sum or mean of a sequence");
        }
        for (int64_t t = 0; t < length; ++t) {
          const bool has_gradient = kind != PoolingKind::kMax || t == largest;
          check_close(all[pooled + step(t)], has_gradient ? d_y[at] / divisor : 0.0, 1e-7, "gradient of pooling");
        }
      }
    }
  }
}

/// Ties, zeros of both signs and NaN: the first has the gradient.
void check_ties() {
  const Batch batch({3, 3, 3, 3});
  const Floats x = {1, 0, NAN, -1, 2, -0.0f, 3, NAN, 2, 0, 1, NAN};
  const Floats d_y = {40, 30, 20, 10};  // of the packed sequences 3 2 1 0
  const Floats all = same_everywhere("ties", [&](const Kernels& kernels, Parallel& pool) {
    Floats y(4 + x.size());
    kernels.pool_steps(PoolingKind::kMax, batch.steps(), 1, x.data(), &y[0], pool);
    kernels.pool_steps_backward(PoolingKind::kMax, batch.steps(), 1, x.data(), &y[0], d_y.data(), &y[4], pool);
    return y;
  });
  check_same(all, {NAN, NAN, 0, 2, 0, 20, 30, 0, 10, 0, 0, 40, 0, 0, 0, 0}, "ties of the largest");
}

/// So many steps that a plain sum of floats would lose the last digits of each.
void check_long_sum() {
  const int32_t length = 3'000'000;
  const Batch batch({length});
  const Floats x(length, 0.1f);
  const Floats mean = same_everywhere("a long sequence", [&](const Kernels& kernels, Parallel& pool) {
    Floats y(1);
    kernels.pool_steps(PoolingKind::kMean, batch.steps(), 1, x.data(), y.data(), pool);
    return y;
  });
  // 256 steps, 16 blocks and 733 groups: each sum is off by half a unit of the last place, 6e-8, at most; they cannot
  // all be, and are not: seen 7e-7. One sum of all steps is off by more than 0.01.
  check_close(mean[0], 0.1, 5e-6, "mean of a long sequence");
}

void check_dropout(const Batch& batch, int64_t features, double probability) {
  const size_t size = static_cast<size_t>(batch.rows() * features);
  const Floats x = random_floats(size, 1, 0.5f, 1.0f);
  const auto with_key = [&](uint64_t key) {
    return same_everywhere("dropout", [&](const Kernels& kernels, Parallel& pool) {
      Floats y = x;
      kernels.dropout(probability, key, batch.steps(), features, y.data(), y.data(), pool);
      Floats apart(size + 1, 77.0f);
      kernels.dropout(probability, key, batch.steps(), features, x.data(), apart.data(), pool);
      check(apart.back() == 77.0f, "dropout writes past its end");
      apart.pop_back();
      check_same(apart, y, "dropout in place");
      return y;
    });
  };
  const Floats y = with_key(5);
  double kept = 0.0;
  for (size_t i = 0; i < size; ++i) {
    if (y[i] == 0.0f) continue;
    ++kept;
    check_close(y[i], x[i] / (1.0 - probability), 1e-6, "what dropout keeps");
  }
  const double expected = (1.0 - probability) * static_cast<double>(size);
  // Five standard deviations of the binomial distribution.
  const double margin = 5.0 * std::sqrt(probability * expected);
  check(std::abs(kept - expected) <= margin, "dropout keeps as many as it should");
  if (probability > 0.0 && size > 50) check(with_key(6) != y, "another key drops other elements");
  if (probability > 0.0 && features >= 64 && size > 0) {
    for (int64_t t = 1; t < batch.lengths[0]; ++t) {  // of the first sequence
      const float *const before = &y[batch.offsets[t - 1] * features], *const row = &y[batch.offsets[t] * features];
      for (int64_t shift = 0; shift < 16; shift += 4) {
        int64_t alike = 0;
        for (int64_t j = 0; j < 48; ++j) alike += (before[j + shift] == 0.0f) == (row[j] == 0.0f);
        check(alike < 48, "a step drops what the one before did");
      }
    }
  }

  // A sequence alone, at the same place of the caller's, loses the same elements.
  if (batch.sequences() < 2) return;
  Batch alone({batch.lengths[0]});
  alone.order[0] = batch.order[0];
  Floats expected_alone, only;
  for (int64_t t = 0; t < batch.lengths[0]; ++t) {
    const int64_t from = batch.offsets[t] * features;
    only.insert(only.end(), &x[from], &x[from] + features);
    expected_alone.insert(expected_alone.end(), &y[from], &y[from] + features);
  }
  static ThreadPool pool(1);
  Floats actual(only.size());
  generic::kKernels.dropout(probability, 5, alone.steps(), features, only.data(), actual.data(), pool);
  check_same(actual, expected_alone, "dropout of a sequence alone");
}

void check_scaled_sum(size_t size) {
  const Floats x = random_floats(size, 1), z = random_floats(size, 2);
  const Floats all = same_everywhere("scaled_sum", [&](const Kernels& kernels, Parallel& pool) {
    Floats sum(size + 1, 77.0f), product(size + 1, 77.0f), in_place = x;
    kernels.scaled_sum(x.data(), 0.3f, z.data(), sum.data(), static_cast<int64_t>(size), pool);
    kernels.scaled_sum(x.data(), 0.3f, nullptr, product.data(), static_cast<int64_t>(size), pool);
    kernels.scaled_sum(in_place.data(), 0.3f, in_place.data(), in_place.data(), static_cast<int64_t>(size), pool);
    sum.insert(sum.end(), product.begin(), product.end());
    sum.insert(sum.end(), in_place.begin(), in_place.end());
    return sum;
  });
  for (size_t i = 0; i < size; ++i) {
    check(all[i] == std::fma(0.3f, x[i], z[i]), "scaled_sum");
    check(all[size + 1 + i] == 0.3f * x[i], "scaled_sum with nothing");
    check(all[2 * size + 2 + i] == std::fma(0.3f, x[i], x[i]), "scaled_sum in place");
  }
  check(all[size] == 77.0f && all[2 * size + 1] == 77.0f, "scaled_sum writes past its end");
}

void check_product(size_t size) {
  const Floats a = random_floats(size, 1), b = random_floats(size, 2);
  const Floats products = same_everywhere("product", [&](const Kernels& kernels, Parallel& pool) {
    Floats y(size + 1, 77.0f);
    kernels.product(a.data(), b.data(), y.data(), static_cast<int64_t>(size), pool);
    return y;
  });
  for (size_t i = 0; i < size; ++i) check(products[i] == a[i] * b[i], "product");
  check(products[size] == 77.0f, "product writes past its end");
}

void check_zeros() {
  const Floats zeros = {0.0f, -0.0f};
  const Floats doubled = same_everywhere("zeros", [&](const Kernels& kernels, Parallel& pool) {
    Floats y(2);
    kernels.scaled_sum(zeros.data(), 2.0f, nullptr, y.data(), 2, pool);
    return y;
  });
  check_same(doubled, zeros, "the sign of a zero");
}

void check_columns(int64_t rows, int64_t columns) {
  const int64_t wide = columns + 3;
  const Floats x = random_floats(static_cast<size_t>(rows * wide), 1);
  const Floats all = same_everywhere("copy_columns", [&](const Kernels& kernels, Parallel& pool) {
    Floats y(static_cast<size_t>(rows * (wide + 2)), 77.0f);
    kernels.copy_columns(rows, columns, x.data() + 2, wide, y.data() + 1, wide + 2, pool);
    return y;
  });
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t j = 0; j < wide + 2; ++j) {
      const bool copied = j >= 1 && j < columns + 1;
      check(all[r * (wide + 2) + j] == (copied ? x[r * wide + 2 + j - 1] : 77.0f), "copy_columns");
    }
  }
}

}  // namespace
}  // namespace unroll::test

int main() {
  using namespace unroll::test;
  const unroll::FlushDenormals scope;
  for (const int64_t features : {1, 3, 4, 15, 16, 17, 33, 130}) {
    for (const std::vector<int32_t>& lengths :
         {std::vector<int32_t>{}, {0}, {1}, {5, 3, 3, 1, 0}, {300, 257, 256, 255, 2}}) {
      check_pooling(Batch(lengths), features);
      check_dropout(Batch(lengths), features, 0.3);
    }
  }
  check_pooling(Batch(std::vector<int32_t>(300, 70)), 70);  // shared among the threads
  check_ties();
  check_long_sum();
  check_dropout(Batch(std::vector<int32_t>(40, 50)), 64, 0.5);
  check_dropout(Batch({4, 2}), 8, 0.0);
  for (const size_t size : {0, 1, 15, 16, 17, 33, 70'000, 1'000'000}) {
    check_scaled_sum(size);
    check_product(size);
  }
  check_zeros();
  for (const int64_t rows : {0, 1, 7, 20'000}) {
    for (const int64_t columns : {1, 4, 16, 37}) check_columns(rows, columns);
  }
  return finish("steps");
}
