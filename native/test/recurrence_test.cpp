#include <algorithm>

#include "test/check.h"

namespace unroll::test {
namespace {

/// Layout of a batch whose lengths are given longest first.
struct Layout {
  std::vector<int32_t> offsets{0}, order;

  explicit Layout(const std::vector<int>& lengths) {
    for (int t = 0; t < (lengths.empty() ? 0 : lengths[0]); ++t) {
      const auto rows = std::count_if(lengths.begin(), lengths.end(), [t](int length) { return length > t; });
      offsets.push_back(offsets.back() + static_cast<int32_t>(rows));
    }
    // The caller's order is the opposite one.
    for (size_t b = 0; b < lengths.size(); ++b) order.push_back(static_cast<int32_t>(lengths.size() - 1 - b));
  }

  int64_t rows() const { return offsets.back(); }
  Steps steps() const {
    return {offsets.data(), order.data(), static_cast<int64_t>(offsets.size()) - 1, static_cast<int64_t>(order.size())};
  }
};

struct Sizes {
  CellKind cell;
  int64_t gates, input, hidden, layers, directions;

  int64_t inputs(int64_t layer) const { return layer == 0 ? input : directions * hidden; }
  std::string name() const {
    return "cell " + std::to_string(static_cast<int64_t>(cell)) + " I " + std::to_string(input) + " H " +
           std::to_string(hidden) + " x" + std::to_string(layers) + "x" + std::to_string(directions);
  }
};

/// Recurrent weights of a spectral radius below 1: larger ones amplify rounding errors from step to step.
Floats recurrent_weights(const Sizes& s, uint32_t seed) {
  const float bound = 1.5f / std::sqrt(static_cast<float>(s.hidden));
  return random_floats(s.gates * s.hidden * s.hidden, seed, -bound, bound);
}

void append(Floats& all, const Floats& part) { all.insert(all.end(), part.begin(), part.end()); }

/// One forward and backward pass; returns everything that they write for the caller.
Floats run(const Sizes& s, const Layout& layout, const Kernels& kernels, Parallel& pool) {
  const Steps steps = layout.steps();
  const int64_t n = layout.rows(), b = steps.sequences, h = s.hidden, gh = s.gates * h, width = s.directions * h;
  const Floats x = random_floats(n * s.input, 1), d_top = random_floats(n * width, 2);
  const size_t entries = s.layers * s.directions;
  std::vector<Floats> buffers;
  const auto keep = [&](Floats values) {
    buffers.push_back(std::move(values));
    return buffers.back().data();
  };
  buffers.reserve(64 * entries + 64);
  std::vector<RecurrentLayer> layers;
  std::vector<RecurrentGradient> gradients;
  std::vector<int32_t> previous(n);
  std::vector<float*> d_outputs(s.layers), states(s.layers);
  Floats result;
  for (int64_t l = 0; l < s.layers; ++l) {
    d_outputs[l] = keep(l == s.layers - 1 ? d_top : Floats(n * width));
    states[l] = keep(Floats((b + n) * width));
  }
  float* const d_x = keep(Floats(n * s.input));
  for (int64_t l = 0; l < s.layers; ++l) {
    for (int64_t d = 0; d < s.directions; ++d) {
      const int64_t in = s.inputs(l);
      const uint32_t seed = static_cast<uint32_t>(10 * l + 100 * d);
      const Floats w_ih = random_floats(gh * in, seed + 3, -0.4f, 0.4f);
      const Floats w_hh = recurrent_weights(s, seed + 4);
      layers.push_back({keep(pack(kernels, pool, w_ih.data(), in, in, gh, 1, true)),
                        keep(pack(kernels, pool, w_hh.data(), h, h, gh, s.gates, true)), keep(random_floats(gh, seed + 5)),
                        keep(random_floats(b * h, seed + 6)), keep(Floats(b * h)), states[l] + d * h,
                        keep(Floats(n * gh))});
      gradients.push_back({keep(pack(kernels, pool, w_ih.data(), in, gh, in, 1, false)),
                           keep(pack(kernels, pool, w_hh.data(), h, gh, h, 1, false)), d_outputs[l] + d * h,
                           keep(random_floats(b * h, seed + 7)), keep(Floats(b * h)), l == 0 ? d_x : d_outputs[l - 1],
                           keep(Floats(gh * in)), keep(Floats(gh * h)), keep(Floats(gh)), keep(Floats(gh)),
                           keep(Floats(b * h)), previous.data()});
    }
  }
  const RecurrentCall call{s.cell, s.input, h, s.layers, s.directions, steps, x.data(), layers.data()};
  kernels.recurrent_forward(call, pool);
  kernels.recurrent_backward(call, gradients.data(), pool);
  for (const Floats& buffer : buffers) append(result, buffer);
  return result;
}

/// The forward pass of one layer and direction, textbook loops in double precision.
void check_forward(const Sizes& s, const Layout& layout, const std::vector<int>& lengths, const Floats& all) {
  // The first two buffers of run() are dE/d outputs and the states of the only layer; then follow d_x and the weights.
  const int64_t n = layout.rows(), b = static_cast<int64_t>(lengths.size()), h = s.hidden;
  const float* states = all.data() + n * h;
  const Floats x = random_floats(n * s.input, 1), w_ih = random_floats(h * s.input, 3, -0.4f, 0.4f);
  const Floats w_hh = recurrent_weights(s, 4), bias = random_floats(h, 5), h0 = random_floats(b * h, 6);
  for (int64_t q = 0; q < b; ++q) {
    std::vector<double> state(h);
    for (int64_t j = 0; j < h; ++j) state[j] = h0[layout.order[q] * h + j];
    for (int t = 0; t < lengths[q]; ++t) {
      const int64_t row = layout.offsets[t] + q;
      std::vector<double> next(h);
      for (int64_t j = 0; j < h; ++j) {
        double a = bias[j];
        for (int64_t i = 0; i < s.input; ++i) a += static_cast<double>(w_ih[j * s.input + i]) * x[row * s.input + i];
        for (int64_t k = 0; k < h; ++k) a += static_cast<double>(w_hh[j * h + k]) * state[k];
        next[j] = std::tanh(a);
        check_close(states[(b + row) * h + j], next[j], 1e-5, "forward " + s.name());
      }
      state = next;
    }
  }
}

}  // namespace
}  // namespace unroll::test

int main() {
  using namespace unroll::test;
  using unroll::CellKind;
  const unroll::FlushDenormals scope;
  const std::vector<std::vector<int>> batches = {{}, {0, 0}, {1}, {9}, {3, 3, 3}, {7, 7, 5, 4, 4, 2, 1, 0, 0},
                                                 std::vector<int>(20, 6)};
  for (const std::vector<int>& lengths : batches) {
    const Layout layout(lengths);
    for (const int64_t hidden : {1, 7, 16, 17, 33, 260}) {
      for (const auto& [layers, directions] : {std::pair{1, 1}, {2, 1}, {1, 2}, {2, 2}}) {
        if (hidden == 260 && layers * directions > 1) continue;
        const Sizes sizes{hidden == 7 ? CellKind::kRnnRelu : CellKind::kRnnTanh, 1, 5, hidden, layers, directions};
        const Floats all = same_everywhere("recurrence " + sizes.name(), [&](const auto& kernels, auto& pool) {
          return run(sizes, layout, kernels, pool);
        });
        if (sizes.cell == CellKind::kRnnTanh && layers * directions == 1) check_forward(sizes, layout, lengths, all);
      }
    }
  }
  return finish("recurrence");
}
