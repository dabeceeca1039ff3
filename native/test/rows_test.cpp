#include <algorithm>
#include <numeric>
#include <utility>

#include "test/check.h"

/// Kernels over rows and arrays: embedding, optimisers, sums and their order, random numbers.

namespace unroll::test {
namespace {

void check_embedding(int64_t size) {
  const std::vector<int32_t> tokens = {3, 0, 3, 2, 3, 0}, order = {4, 5, 1, 0, 3, 2};
  const int64_t rows = static_cast<int64_t>(tokens.size());
  const Floats table = random_floats(5 * size, 1), d_y = random_floats(rows * size, 2);
  const Floats all = same_everywhere("embedding", [&](const Kernels& kernels, Parallel& pool) {
    Floats y(rows * size + 5 * size);
    kernels.embedding_forward(rows, size, tokens.data(), table.data(), &y[0], pool);
    kernels.embedding_backward(rows, size, tokens.data(), d_y.data(), order.data(), &y[rows * size], pool);
    return y;
  });
  Floats expected(rows * size + 5 * size);
  for (const int32_t r : order) {
    for (int64_t j = 0; j < size; ++j) {
      expected[r * size + j] = table[tokens[r] * size + j];
      expected[rows * size + tokens[r] * size + j] += d_y[r * size + j];
    }
  }
  check_same(all, expected, "embedding of " + std::to_string(size));
}

/// Parameters of these sizes, whose gradients are scaled and then clipped by their norm together; each begins in a
/// block of its own.
void check_optimizers(const std::vector<int64_t>& sizes, double gradient_scale) {
  constexpr double kClipNorm = 0.5;
  const int64_t size = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  const Floats gradient = random_floats(size, 1), start = random_floats(size, 2);
  const auto arrays_of = [&](Floats& weights, float* first, float* second) {
    const auto at = [](float* moment, int64_t begin) { return moment == nullptr ? nullptr : moment + begin; };
    std::vector<ParameterArrays> arrays;
    int64_t begin = 0;
    for (const int64_t count : sizes) {
      arrays.push_back({count, &gradient[begin], &weights[begin], {at(first, begin), at(second, begin)}});
      begin += count;
    }
    return arrays;
  };
  const auto list_of = [&](const std::vector<ParameterArrays>& arrays) {
    return ParameterList{arrays.data(), static_cast<int64_t>(arrays.size())};
  };
  const Floats all = same_everywhere("optimizers", [&](const Kernels& kernels, Parallel& pool) {
    Floats sgd = start, momentum(size), adam = start, mean(size), variance(size), plain = start;
    const auto of_sgd = arrays_of(sgd, momentum.data(), nullptr), of_plain = arrays_of(plain, nullptr, nullptr);
    const auto of_adam = arrays_of(adam, mean.data(), variance.data());
    for (int step = 1; step <= 3; ++step) {
      kernels.sgd_step({{gradient_scale, kClipNorm}, 0.1f, 0.9f}, list_of(of_sgd), pool);
      kernels.sgd_step({{gradient_scale, INFINITY}, 0.1f, 0.0f}, list_of(of_plain), pool);
      kernels.adam_step({{gradient_scale, kClipNorm}, 0.01f, 0.9f, 0.1f, 0.99f, 0.01f, 2.0f, 1e-6f, 0.75f},
                        list_of(of_adam), pool);
    }
    const double norm = kernels.gradient_norm(list_of(of_sgd), pool);
    for (const Floats& more : {plain, adam, Floats{static_cast<float>(norm)}}) {
      sgd.insert(sgd.end(), more.begin(), more.end());
    }
    return sgd;
  });
  double squares = 0.0;
  for (const float value : gradient) squares += static_cast<double>(value) * value;
  const double norm = std::sqrt(squares);
  const double scale = gradient_scale * std::min(1.0, kClipNorm / (norm * gradient_scale + 1e-6));
  check_close(all.back(), norm, 1e-6, "gradient_norm");
  for (int64_t i = 0; i < size; ++i) {
    double momentum = 0.0, weight = start[i], mean = 0.0, variance = 0.0, adam = start[i];
    for (int step = 1; step <= 3; ++step) {
      const double g = scale * gradient[i];
      weight -= 0.1 * (momentum = 0.9 * momentum + g);
      mean = 0.9 * mean + 0.1 * g;
      variance = 0.99 * variance + 0.01 * g * g;
      adam = 0.75 * adam - 0.01 * mean / (2.0 * std::sqrt(variance) + 1e-6);
    }
    check_close(all[i], weight, 1e-6, "sgd");
    check_close(all[size + i], start[i] - 0.3 * gradient_scale * gradient[i], 1e-6, "sgd without clipping");
    check_close(all[2 * size + i], adam, 1e-6, "adam");
  }
}

void check_sums(int64_t size) {
  const Floats x = random_floats(size, 1);
  Floats shuffled(size);
  std::vector<int32_t> order(size);
  for (int64_t i = 0; i < size; ++i) {
    order[i] = static_cast<int32_t>(size - 1 - i);
    shuffled[order[i]] = x[i];
  }
  static ThreadPool alone(1);
  double sum = 0.0;
  for (const float value : x) sum += value;
  const double expected = generic::kKernels.array_sum(x.data(), nullptr, size, alone);
  check_close(expected, sum, 1e-5, "array_sum");
  everywhere([&](const Kernels& kernels, Parallel& pool, const std::string& how) {
    check(kernels.array_sum(x.data(), nullptr, size, pool) == expected, "array_sum" + how);
    check(kernels.array_sum(shuffled.data(), order.data(), size, pool) == expected, "array_sum in an order" + how);
  });
}

void check_row_sums(int64_t rows, int64_t columns) {
  const Floats x = random_floats(rows * columns, 1);
  const Floats sums = same_everywhere("row_sums", [&](const Kernels& kernels, Parallel& pool) {
    Floats y(rows);
    kernels.row_sums(rows, columns, x.data(), y.data(), pool);
    return y;
  });
  for (int64_t r = 0; r < rows; ++r) {
    double sum = 0.0;
    for (int64_t c = 0; c < columns; ++c) sum += x[r * columns + c];
    check_close(sums[r], sum, 1e-5, "row_sums");
  }
}

/// However the sequences of equal length are permuted, a sum takes the same contents in the same order.
void check_row_order() {
  // Lengths 2 2 2 1 1: rows 0..4 are the first steps, 5..7 the second ones; two sequences differ in the second step
  // only.
  const std::vector<int32_t> offsets = {0, 5, 8};
  const Steps steps{offsets.data(), nullptr, 2, 5};
  const Floats first = {3, NAN, 3, 7, -1}, second = {2, 5, 1};
  std::vector<int32_t> permutation = {0, 1, 2};
  Floats expected;
  do {
    for (const bool swapped : {false, true}) {
      Floats x(8);
      for (int i = 0; i < 3; ++i) {
        x[i] = first[permutation[i]];
        x[5 + i] = second[permutation[i]];
      }
      x[3] = first[swapped ? 4 : 3];
      x[4] = first[swapped ? 3 : 4];
      const Floats ordered = same_everywhere("row_order", [&](const Kernels& kernels, Parallel&) {
        std::vector<int32_t> rows(8);
        if (!kernels.row_order(steps, x.data(), 1, nullptr, 0, rows.data())) return x;
        Floats y(8);
        for (int n = 0; n < 8; ++n) y[n] = x[rows[n]];
        return y;
      });
      if (expected.empty()) expected = ordered;
      check_same(ordered, expected, "row_order");
    }
  } while (std::next_permutation(permutation.begin(), permutation.end()));
}

/// The same for many sequences that share all but two of their values, of two matrices: however the caller has them,
/// the rows of each step are all there once, its sequences in one order, and what the sum reads is the same.
void check_row_order_of(int64_t sequences, int32_t longest, int64_t a_columns, int64_t b_columns) {
  std::mt19937 generator(static_cast<uint32_t>(sequences));
  const int64_t columns = a_columns + b_columns;
  std::vector<Floats> contents(sequences);
  for (Floats& content : contents) {
    content.resize((1 + generator() % longest) * columns, 1.0f);
    for (const float other : {2.0f, NAN}) content[generator() % content.size()] = other;
  }
  Floats expected;
  for (int turn = 0; turn < 5; ++turn) {
    std::shuffle(contents.begin(), contents.end(), generator);
    for (Floats& content : contents) {  // whose NaNs have other bits each time
      const auto bits = static_cast<uint32_t>(0x7fc00000 | generator());
      std::replace_if(
          content.begin(), content.end(), [](float x) { return std::isnan(x); }, std::bit_cast<float>(bits));
    }
    const auto longer = [](const Floats& one, const Floats& other) { return one.size() > other.size(); };
    std::stable_sort(contents.begin(), contents.end(), longer);
    std::vector<int32_t> offsets = {0};
    Floats a, b;
    for (size_t at = 0; at < contents[0].size(); at += columns) {
      int32_t row = offsets.back();
      for (const Floats& content : contents) {
        if (content.size() <= at) break;
        a.insert(a.end(), &content[at], &content[at] + a_columns);
        b.insert(b.end(), &content[at] + a_columns, &content[at] + columns);
        ++row;
      }
      offsets.push_back(row);
    }
    const int64_t steps = static_cast<int64_t>(offsets.size()) - 1, rows = offsets.back();
    const Floats read = same_everywhere("row_order", [&](const Kernels& kernels, Parallel&) {
      std::vector<int32_t> order(rows);
      std::iota(order.begin(), order.end(), 0);
      const Steps batch{offsets.data(), nullptr, steps, sequences};
      std::vector<int32_t> found(rows);
      if (kernels.row_order(batch, a.data(), a_columns, b.data(), b_columns, found.data())) order = found;
      for (int64_t t = 0; t < steps; ++t) {
        for (int64_t p = 0; p < offsets[t + 1] - offsets[t]; ++p) {
          check(order[offsets[t] + p] == offsets[t] + order[p], "row_order takes each step's sequences in one order");
        }
      }
      Floats y;
      for (const int64_t row : order) {
        y.insert(y.end(), &a[row * a_columns], &a[row * a_columns] + a_columns);
        y.insert(y.end(), &b[row * b_columns], &b[row * b_columns] + b_columns);
      }
      std::sort(order.begin(), order.end());
      for (int64_t n = 0; n < rows; ++n) check(order[n] == n, "row_order has every row once");
      return y;
    });
    if (expected.empty()) expected = read;
    check_same(read, expected, "row_order of many sequences");
  }
}

void check_random() {
  const Floats whole = same_everywhere("uniform", [](const Kernels& kernels, Parallel&) {
    Floats y(1000);
    kernels.uniform(0, 0, 0, 1000, 0.0f, 1.0f, y.data());
    return y;
  });
  // Known answer of Philox4x32-10 for counter 0 and key 0 (Random123, kat_vectors).
  const uint32_t known[] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  for (int i = 0; i < 4; ++i) check(whole[i] == static_cast<float>(known[i] >> 8) * 0x1p-24f, "Philox known answer");
  Floats part(10);
  generic::kKernels.uniform(0, 0, 123, 10, 0.0f, 1.0f, part.data());
  check_same(part, Floats(whole.begin() + 123, whole.begin() + 133), "uniform from the middle");
}

}  // namespace
}  // namespace unroll::test

int main() {
  using namespace unroll::test;
  const unroll::FlushDenormals scope;
  for (const int64_t columns : {1, 2, 15, 16, 17, 31, 32, 33, 100}) {
    check_embedding(columns);
    for (const double scale : {1.0, 1e-3, 2.0}) check_optimizers({columns, 3, 1, 20}, scale);
  }
  for (const int64_t size : {4095, 4096, 4097, 70'000, 5'000'000}) check_optimizers({size, 5000, 30'000}, 1.0);
  for (const int64_t size : {0, 1, 15, 16, 17, 4095, 4096, 4097, 70'000, 2'000'000}) check_sums(size);
  for (const int64_t columns : {1, 15, 16, 17, 3000}) check_row_sums(5, columns);
  check_row_sums(400, 3000);  // shared among threads
  check_row_order();
  check_row_order_of(60, 5, 3, 2);
  check_row_order_of(200, 3, 1, 1);
  check_random();
  return finish("rows");
}
