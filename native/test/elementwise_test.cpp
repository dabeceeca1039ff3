#include "test/check.h"

namespace unroll::test {
namespace {

using Function = void (*)(const float*, float*, int64_t, Parallel&);

struct Case {
  const char* name;
  Function Kernels::*function;
  double (*reference)(double);
  double worst_ulp;
};

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

double softplus(double x) { return (x < 0.0 ? 0.0 : x) + std::log1p(std::exp(-std::abs(x))); }

const Case kCases[] = {{"exp", &Kernels::exp, std::exp, 1.0},
                       {"log", &Kernels::log, std::log, 1.0},
                       {"tanh", &Kernels::tanh, std::tanh, 1.5},
                       {"sigmoid", &Kernels::sigmoid, sigmoid, 1.5},
                       {"softplus", &Kernels::softplus, softplus, 1.6}};

/// Every 9973rd float of all 2^32, in ascending bit order, each before its successor, and the neighbours of the ends.
Floats sample() {
  Floats values;
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += 9973) {
    values.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
    values.push_back(std::nextafter(values.back(), INFINITY));
  }
  for (const float end : {0.0f, 1.0f, 88.72f, -87.33f, 9.01f, 1.17549435e-38f, INFINITY}) {
    for (const float value : {end, -end, std::nextafter(end, 0.0f), -std::nextafter(end, 0.0f)})
      values.push_back(value);
  }
  values.push_back(NAN);
  return values;
}

bool is_denormal(double x) { return x != 0.0 && std::abs(x) < 0x1p-126; }

/// |actual - exact| in units of the spacing of floats at the exact value.
double error_in_ulp(float actual, double exact) {
  int exponent;
  std::frexp(exact, &exponent);
  return std::abs(static_cast<double>(actual) - exact) / std::ldexp(1.0, std::max(exponent, -125) - 24);
}

void check_function(const Case& c, const Floats& x) {
  const Floats y = same_everywhere(c.name, [&](const Kernels& kernels, Parallel& pool) {
    Floats result(x.size());
    (kernels.*c.function)(x.data(), result.data(), static_cast<int64_t>(x.size()), pool);
    return result;
  });
  for (size_t i = 0; i < x.size(); ++i) {
    const double in = is_denormal(x[i]) ? 0.0 : x[i];
    const double exact = c.reference(in);
    const bool right = std::isnan(exact)           ? std::isnan(y[i])
                       : is_denormal(exact)        ? y[i] == 0.0f || error_in_ulp(y[i], exact) <= c.worst_ulp
                       : std::abs(exact) > 0x1p128 ? std::isinf(y[i]) && (y[i] > 0) == (exact > 0)
                                                   : error_in_ulp(y[i], exact) <= c.worst_ulp;
    if (!right) fail(std::string(c.name) + " of " + std::to_string(x[i]) + " is " + std::to_string(y[i]));
    const bool falls = i > 0 && x[i] == std::nextafter(x[i - 1], INFINITY) && y[i] < y[i - 1];
    if (falls) fail(std::string(c.name) + " falls at " + std::to_string(x[i]));
  }
}

/// Sizes around whole vectors: nothing is written past the end.
void check_edges(const Case& c) {
  for (const size_t size : {0, 1, 7, 8, 15, 16, 17, 31, 33}) {
    const Floats x = random_floats(size + 1, 1, 0.1f, 2.0f);
    const Floats y = same_everywhere(c.name, [&](const Kernels& kernels, Parallel& pool) {
      Floats result(size + 1, 77.0f);
      (kernels.*c.function)(x.data(), result.data(), static_cast<int64_t>(size), pool);
      return result;
    });
    check(y[size] == 77.0f, std::string(c.name) + " writes past its end");
    for (size_t i = 0; i < size; ++i) check_close(y[i], c.reference(x[i]), 1e-6, c.name);
  }
}

/// An element's bits do not depend on its neighbours: large numbers, which some functions compute another way, and NaN
/// now and then among small ones, in the same lane of vectors that are computed together and in others.
void check_neighbours(const Case& c) {
  Floats x = random_floats(10'000, 2, -4.0f, 4.0f);
  const float signalling = std::bit_cast<float>(0x7f800001);
  const float rare[] = {14.5f, -20.0f, NAN, 90.0f, -INFINITY, signalling};
  for (size_t i = 0, next = 0; i < x.size(); i += next < 50 ? 48 : 97) x[i] = rare[next++ % std::size(rare)];
  same_everywhere(c.name, [&](const Kernels& kernels, Parallel& pool) {
    const auto size = static_cast<int64_t>(x.size());
    Floats together(x.size()), alone(x.size());
    (kernels.*c.function)(x.data(), together.data(), size, pool);
    for (size_t i = 0; i < x.size(); ++i) (kernels.*c.function)(&x[i], &alone[i], 1, pool);
    for (size_t i = 0; i < x.size(); ++i) {
      const bool equal = std::bit_cast<uint32_t>(together[i]) == std::bit_cast<uint32_t>(alone[i]);
      if (!equal && !(std::isnan(together[i]) && std::isnan(alone[i]))) {
        fail(std::string(c.name) + " of " + std::to_string(x[i]) + " depends on its neighbours");
      }
    }
    return together;
  });
}

struct ActivationCase {
  const char* name;
  ActivationKind kind;
  double (*function)(double);
  double (*derivative)(double);
  float low = -4.0f;
};

const ActivationCase kActivations[] = {
    {"relu", ActivationKind::kRelu, [](double x) { return x > 0 ? x : 0.0; },
     [](double x) { return x > 0 ? 1.0 : 0.0; }},
    {"tanh", ActivationKind::kTanh, std::tanh, [](double x) { return 1.0 / (std::cosh(x) * std::cosh(x)); }},
    {"sigmoid", ActivationKind::kSigmoid, sigmoid, [](double x) { return sigmoid(x) * sigmoid(-x); }},
    {"softplus", ActivationKind::kSoftplus, softplus, sigmoid},
    {"exp", ActivationKind::kExp, std::exp, std::exp},
    {"log", ActivationKind::kLog, std::log, [](double x) { return 1.0 / x; }, 0.5f},
};

/// The derivative comes from the rounded value, so its error is relative to 1, not to itself.
void check_activation(const ActivationCase& c, int64_t size) {
  Floats x = random_floats(size, 3, c.low, 4.0f);
  if (c.low < 0.0f) x[0] = 1e-40f;  // counts as 0
  const Floats d_y = random_floats(size, 4);
  const Floats all = same_everywhere(c.name, [&](const Kernels& kernels, Parallel& pool) {
    Floats result(2 * size + 1, 77.0f);
    kernels.activation(c.kind, x.data(), &result[0], size, pool);
    kernels.activation_backward(c.kind, &result[0], d_y.data(), &result[size], size, pool);
    return result;
  });
  check(all[2 * size] == 77.0f, std::string(c.name) + " writes past its end");
  for (int64_t i = 0; i < size; ++i) {
    check_close(all[i], c.function(x[i]), 1e-6, c.name);
    check_close(all[size + i], d_y[i] * c.derivative(x[i]), 1e-6, std::string("gradient of ") + c.name);
  }
}

}  // namespace
}  // namespace unroll::test

int main() {
  using namespace unroll::test;
  const Floats x = sample();
  for (const Case& c : kCases) {
    const unroll::FlushDenormals scope;
    check_function(c, x);
    check_edges(c);
    check_neighbours(c);
  }
  for (const ActivationCase& c : kActivations) {
    const unroll::FlushDenormals scope;
    for (const int64_t size : {1, 15, 16, 17, 50'000}) check_activation(c, size);
  }
  return finish("elementwise");
}
