#include <algorithm>

#include "test/check.h"

/// Losses of elements and their gradients.

namespace unroll::test {
namespace {

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

}  // namespace
}  // namespace unroll::test

int main() {
  using namespace unroll::test;
  const unroll::FlushDenormals scope;
  check_element_losses();
  check_element_loss_of_no_numbers();
  return finish("element_loss");
}
