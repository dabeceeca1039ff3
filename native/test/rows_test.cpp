#include <algorithm>
#include <numeric>
#include <utility>

#include "test/check.h"

/// Kernels over rows and arrays: softmax, loss, embedding, optimisers, sums and their order, random
/// numbers.

namespace unroll::test {
namespace {

const int64_t kColumns[] = {1, 2, 15, 16, 17, 31, 32, 33, 100};

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

struct ElementLossCase {
  const char* name;
  ElementLoss loss;
  double (*cost)(double x, double target);
  double (*derivative)(double x, double target);
};

constexpr double kDelta = 0.75;

const ElementLossCase kElementLosses[] = {
    {"squared",
     {ElementLossKind::kSquared, 0},
     [](double x, double t) { return (x - t) * (x - t); },
     [](double x, double t) { return 2 * (x - t); }},
    {"absolute",
     {ElementLossKind::kAbsolute, 0},
     [](double x, double t) { return std::abs(x - t); },
     [](double x, double t) { return x > t   ? 1.0
                                     : x < t ? -1.0
                                             : 0.0; }},
    {"Huber",
     {ElementLossKind::kHuber, kDelta},
     [](double x, double t) {
       const double d = std::abs(x - t);
       return d <= kDelta ? d * d / 2 : kDelta * (d - kDelta / 2);
     },
     [](double x, double t) { return std::clamp(x - t, -kDelta, kDelta); }},
    {"binary cross-entropy",
     {ElementLossKind::kBinaryCrossEntropy, 0},
     [](double x, double t) { return t * std::log1p(std::exp(-x)) + (1 - t) * std::log1p(std::exp(x)); },
     [](double x, double t) { return 1 / (1 + std::exp(-x)) - t; }},
};

/// Weights of nothing, of rows, of elements; some are 0, and what they belong to is NaN.
void check_element_loss(const ElementLossCase& c, int64_t rows, int64_t columns, int64_t weight_columns) {
  const int64_t size = rows * columns;
  Floats x = random_floats(size, 1, -3.0f, 3.0f), target = random_floats(size, 2, 0.0f, 1.0f);
  Floats weights = random_floats(rows * weight_columns, 3, 0.5f, 2.0f);
  for (size_t i = 0; i < weights.size(); i += 3) weights[i] = 0.0f;
  for (int64_t i = 0; i < size; i += 7) target[i] = x[i] = 0.0f;
  const auto weight = [&](int64_t i) {
    return weight_columns == 0 ? 1.0f : weights[weight_columns == 1 ? i / columns : i];
  };
  for (int64_t i = 0; i < size; ++i) {
    if (weight(i) == 0.0f) (i % 2 == 0 ? x : target)[i] = i % 5 == 0 ? INFINITY : NAN;
  }
  const std::string name = std::string(c.name) + " loss of weights in " + std::to_string(weight_columns);
  const Floats all = same_everywhere(name, [&](const Kernels& kernels, Parallel& pool) {
    Floats y(size + rows + 1, 77.0f), losses(rows);
    kernels.element_loss(c.loss, rows, columns, x.data(), target.data(), weight_columns == 0 ? nullptr : weights.data(),
                         weight_columns, 0.5f, &y[size], y.data(), pool);
    kernels.element_loss(c.loss, rows, columns, x.data(), target.data(), weight_columns == 0 ? nullptr : weights.data(),
                         weight_columns, 0.5f, losses.data(), nullptr, pool);
    check(std::equal(losses.begin(), losses.end(), &y[size]), name + " without a gradient");
    return y;
  });
  for (int64_t r = 0; r < rows; ++r) {
    double sum = 0.0;
    for (int64_t i = r * columns; i < (r + 1) * columns; ++i) {
      const bool counts = weight(i) != 0.0f;
      sum += counts ? weight(i) * c.cost(x[i], target[i]) : 0.0;
      check_close(all[i], counts ? 0.5 * weight(i) * c.derivative(x[i], target[i]) : 0.0, 1e-6, name + ", gradient");
    }
    check_close(all[size + r], sum, 1e-5, name);
  }
  check(all[size + rows] == 77.0f, name + " writes past its end");
}

void check_element_losses() {
  for (const ElementLossCase& c : kElementLosses) {
    for (const int64_t columns : {1, 2, 15, 16, 17, 600}) {
      for (const int64_t weight_columns : {int64_t{0}, int64_t{1}, columns}) {
        check_element_loss(c, 5, columns, weight_columns);
      }
    }
    check_element_loss(c, 400, 600, 1);  // shared among threads
  }
}

/// NaN and infinity that count go where IEEE 754 sends them.
void check_element_loss_of_no_numbers() {
  const Floats x = {NAN, 0, INFINITY, 100, -200}, target = {0, NAN, 0, 1, 0};
  const auto costs = [&](ElementLossKind kind) {
    return same_everywhere("loss of NaN", [&](const Kernels& kernels, Parallel& pool) {
      Floats y(10);
      kernels.element_loss({kind, 1.0f}, 5, 1, x.data(), target.data(), nullptr, 0, 1.0f, &y[5], y.data(), pool);
      return y;
    });
  };
  for (const ElementLossCase& c : kElementLosses) {
    const Floats y = costs(c.loss.kind);
    const auto is_nan = [&](int i) { return std::isnan(y[i]) && std::isnan(y[5 + i]); };
    check(is_nan(0) && is_nan(1), std::string(c.name) + " loss hides NaN");
    check(y[7] == INFINITY, std::string(c.name) + " loss of infinity");
  }
  check(costs(ElementLossKind::kAbsolute)[2] == 1.0f, "derivative of the absolute loss at infinity");
  const Floats right = costs(ElementLossKind::kBinaryCrossEntropy);
  check(right[8] <= 4e-44f && right[9] == 0.0f, "binary cross-entropy of what is right");
  const Floats sure = same_everywhere("binary cross-entropy of infinity", [&](const Kernels& kernels, Parallel& pool) {
    const Floats scores = {INFINITY, -INFINITY, 20, -20}, labels = {1, 0, 1, 0};
    Floats y(8);
    kernels.element_loss({ElementLossKind::kBinaryCrossEntropy, 0}, 4, 1, scores.data(), labels.data(), nullptr, 0,
                         1.0f, &y[4], y.data(), pool);
    return y;
  });
  check(sure[0] == 0 && sure[1] == 0 && sure[4] == 0 && sure[5] == 0, "binary cross-entropy of sure scores");
  const double rest = 1 / (1 + std::exp(20.0));
  check(std::abs(sure[2] + rest) < 1e-6 * rest && std::abs(sure[3] - rest) < 1e-6 * rest, "its gradient cancels");
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
  for (const int64_t columns : kColumns) {
    check_softmax(columns);
    check_embedding(columns);
    for (const double scale : {1.0, 1e-3, 2.0}) check_optimizers({columns, 3, 1, 20}, scale);
  }
  for (const int64_t size : {4095, 4096, 4097, 70'000, 5'000'000}) check_optimizers({size, 5000, 30'000}, 1.0);
  for (const int64_t columns : {65, 255, 256, 257, 1024, 1025, 2100}) check_softmax(columns);
  for (const int64_t columns : {1, 7, 65, 256, 257, 2100}) check_label_smoothing(9, columns, 0.1f);
  check_label_smoothing(2, 33, 1.0f);
  check_smoothed_infinities();
  check_label_smoothing(2, unroll::kNearScratchFloats + 5, 0.3f);
  check_large_softmax(3, unroll::kNearScratchFloats + 5);
  check_large_softmax(140, 12'501);  // 7 MB
  for (const int64_t size : {0, 1, 15, 16, 17, 4095, 4096, 4097, 70'000, 2'000'000}) {
    check_sums(size);
  }
  check_element_losses();
  check_element_loss_of_no_numbers();
  for (const int64_t columns : {1, 15, 16, 17, 3000}) check_row_sums(5, columns);
  check_row_sums(400, 3000);  // shared among threads
  check_row_order();
  check_row_order_of(60, 5, 3, 2);
  check_row_order_of(200, 3, 1, 1);
  check_random();
  return finish("rows");
}
