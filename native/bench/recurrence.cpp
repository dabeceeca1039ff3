/// Prints what forward and training passes of recurrent layers reach of the FMA peak of one core measured in the same
/// run. Operations counted: 2 G H (I + H) for each row, layer and direction forward, three times that in training.
/// With several threads also training "apart": as many batches as threads, each of its part of the sequences, side by
/// side, so that what threads lose by what they share is seen.
/// Options, in this order: instruction set (default: the best), threads (1), cell (all), hidden size (all).

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/limits.h"
#include "runtime/dispatch.h"
#include "runtime/floating_point.h"
#include "runtime/memory.h"
#include "runtime/recurrent_passes.h"
#include "runtime/thread_pool.h"

namespace {

using namespace unroll;

struct Kind {
  const char* name;
  CellKind cell;
  int64_t gates;
};

struct Shape {
  int64_t b, t, h;  // I = H
  int64_t layers = 1, directions = 1;
};

/// Owns aligned arrays of small numbers.
class Arrays {
 public:
  float* make(int64_t size, float scale) {
    auto* data = static_cast<float*>(allocate(size * static_cast<int64_t>(sizeof(float))));
    for (int64_t i = 0; i < size; ++i) data[i] = scale * (static_cast<float>((i * 37) % 101) * 0.02f - 1.0f);
    all_.emplace_back(data, release);
    return data;
  }

 private:
  std::vector<std::unique_ptr<void, void (*)(void*)>> all_;
};

/// A stack of layers on a batch of equal lengths, ready to run.
class Stack {
 public:
  Stack(const Kernels& kernels, const Kind& kind, Shape shape, int threads)
      : kernels_(kernels), pool_(threads), offsets_(shape.t + 1), order_(shape.b) {
    for (int64_t t = 0; t <= shape.t; ++t) offsets_[t] = static_cast<int32_t>(t * shape.b);
    for (int64_t b = 0; b < shape.b; ++b) order_[b] = static_cast<int32_t>(b);
    const int64_t rows = shape.b * shape.t, columns = shape.directions * shape.h;
    row_order_ = reinterpret_cast<int32_t*>(zeros(rows));
    previous_rows_ = reinterpret_cast<int32_t*>(zeros(rows));
    float* d_input = zeros(rows * shape.h);
    for (int64_t l = 0; l < shape.layers; ++l) {
      float* const states = zeros((shape.b + rows) * columns);
      float* const d_output = arrays_.make(rows * columns, 0.1f);
      for (int64_t d = 0; d < shape.directions; ++d) {
        add_layer(kind, shape, l == 0 ? shape.h : columns, states + d * shape.h);
        gradients_.back().d_output = d_output + d * shape.h;
        gradients_.back().d_input = d_input;
      }
      d_input = d_output;
    }
    call_ = {.cell = kind.cell,
             .input_size = shape.h,
             .hidden = shape.h,
             .state_size = shape.h,
             .layer_count = shape.layers,
             .directions = shape.directions,
             .summed = 0,
             .dropout = 0.0,
             .dropout_key = 0,
             .chunk_steps = std::max<int64_t>(1, 192 / shape.b),
             .keeps_all = 1,
             .plain_weights = 0,
             .steps = {offsets_.data(), order_.data(), shape.t, shape.b},
             .input = arrays_.make(rows * shape.h, 1.0f),
             .input_index = nullptr,
             .input_rows = 0,
             .layers = layers_.data()};
  }

  void forward() { recurrent_forward(kernels_, call_, pool_); }
  void infer() {
    RecurrentCall call = call_;
    call.keeps_all = 0;
    recurrent_forward(kernels_, call, pool_);
  }
  void train() {
    forward();
    recurrent_backward(kernels_, call_, gradients_.data(), pool_);
  }

 private:
  void add_layer(const Kind& kind, Shape shape, int64_t inputs, float* states) {
    const int64_t h = shape.h, gh = kind.gates * h, n = shape.b * shape.t;
    const float* w_ih = arrays_.make(gh * inputs, 0.1f);
    const float* w_hh = arrays_.make(gh * h, 0.1f);
    RecurrentLayer layer{};
    layer.w_ih_panels = pack(w_ih, inputs, gh, inputs, 1, true);
    layer.w_hh_panels = pack(w_hh, h, gh, h, kind.gates, true);
    layer.bias = arrays_.make(gh, 0.1f);
    layer.final_state = zeros(shape.b * h);
    layer.final_cells = zeros(shape.b * h);
    layer.states = states;
    layer.cells = zeros((shape.b + n) * h);
    layer.gates = zeros(n * gh);
    layer.recurrent = zeros(n * h);
    layers_.push_back(layer);
    RecurrentGradient gradient{};
    gradient.w_ih_back_panels = pack(w_ih, inputs, inputs, gh, 1, false);
    const int64_t first = kind.cell == CellKind::kGru ? 2 * h : gh;
    gradient.w_hh_back_panels[0] = pack(w_hh, h, h, first, 1, false);
    gradient.w_hh_back_panels[1] = pack(w_hh + first * h, h, h, gh - first, 1, false);
    gradient.d_initial_state = zeros(shape.b * h);
    gradient.d_initial_cells = zeros(shape.b * h);
    gradient.d_w_ih = zeros(gh * inputs);
    gradient.d_w_hh = zeros(gh * h);
    gradient.d_b_ih = zeros(gh);
    gradient.d_b_hh = zeros(gh);
    gradient.d_h = zeros(shape.b * h);
    gradient.d_c = zeros(shape.b * h);
    gradient.row_order = row_order_;
    gradient.previous_rows = previous_rows_;
    gradients_.push_back(gradient);
  }

  float* zeros(int64_t size) { return arrays_.make(size, 0.0f); }

  const float* pack(const float* w, int64_t ldw, int64_t columns, int64_t k, int64_t groups, bool transposed) {
    const int64_t k_size = transposed ? ldw : k, width = transposed ? columns : ldw;
    float* panels = zeros(groups * ((width / groups + 15) / 16) * 16 * k_size);
    kernels_.pack_panels(w, ldw, k_size, width, groups, transposed, panels, pool_);
    return panels;
  }

  const Kernels& kernels_;
  ThreadPool pool_;
  Arrays arrays_;
  std::vector<int32_t> offsets_, order_;
  int32_t *row_order_, *previous_rows_;
  std::vector<RecurrentLayer> layers_;
  std::vector<RecurrentGradient> gradients_;
  RecurrentCall call_{};
};

/// Batches of a part of the sequences each, one a thread.
class Apart {
 public:
  Apart(const Kernels& kernels, const Kind& kind, Shape shape, int threads) : pool_(threads) {
    if (threads == 1 || shape.b < 2 * threads) return;
    for (int i = 0; i < threads; ++i) {
      Shape part = shape;
      part.b = shape.b * (i + 1) / threads - shape.b * i / threads;
      parts_.push_back(std::make_unique<Stack>(kernels, kind, part, 1));
    }
  }

  bool exists() const { return !parts_.empty(); }
  void train() {
    const auto train_part = [](void* parts, int64_t index, float*) {
      (*static_cast<Parts*>(parts))[static_cast<size_t>(index)]->train();
    };
    pool_.run(static_cast<int64_t>(parts_.size()), train_part, &parts_);
  }

 private:
  using Parts = std::vector<std::unique_ptr<Stack>>;

  ThreadPool pool_;
  Parts parts_;
};

void measure(const Kernels& kernels, const Kind& kind, Shape shape, int threads) {
  Stack stack(kernels, kind, shape, threads);
  Apart apart(kernels, kind, shape, threads);
  const int64_t h = shape.h, inputs = h + (shape.layers - 1) * shape.directions * h;  // of all layers
  const double operations =
      2.0 * static_cast<double>(kind.gates * h * shape.directions * (inputs + shape.layers * h) * shape.b * shape.t);
  const int repeats = std::max(1, static_cast<int>(3e8 / operations));
  double peak = 0.0, infer = 1e30, train = 1e30, train_apart = 1e30;
  for (int turn = 0; turn < 7; ++turn) {
    peak = std::max(peak, bench::fma_peak(kernels.name));
    infer = std::min(infer, bench::best_time(2, [&] {
                       for (int i = 0; i < repeats; ++i) stack.infer();
                     }));
    train = std::min(train, bench::best_time(2, [&] {
                       for (int i = 0; i < repeats; ++i) stack.train();
                     }));
    if (!apart.exists()) continue;
    train_apart = std::min(train_apart, bench::best_time(2, [&] {
                             for (int i = 0; i < repeats; ++i) apart.train();
                           }));
  }
  const double f = operations * repeats / infer, t = 3.0 * operations * repeats / train;
  std::printf(
      "%-8s %-4s B %3ld T %4ld H %5ld L %ld D %ld  peak %6.1f  forward %6.1f GFLOP/s = %5.1f %%  training %6.1f = "
      "%5.1f %%",
      kernels.name, kind.name, shape.b, shape.t, shape.h, shape.layers, shape.directions, peak * 1e-9, f * 1e-9,
      100 * f / peak, t * 1e-9, 100 * t / peak);
  if (apart.exists()) std::printf("  apart %6.1f", 3e-9 * operations * repeats / train_apart);
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const FlushDenormals scope;
  const auto option = [&](int index, std::string_view otherwise) {
    return argc > index ? std::string_view(argv[index]) : otherwise;
  };
  const Kind kinds[] = {{"RNN", CellKind::kRnnTanh, 1}, {"GRU", CellKind::kGru, 3}, {"LSTM", CellKind::kLstm, 4}};
  const Shape shapes[] = {{1, 1, 64},          {1, 1, 256},         {1, 100, 128},       {16, 50, 64},
                          {32, 100, 128},      {64, 50, 256},       {64, 35, 512},       {32, 20, 1024},
                          {1, 100, 64, 2, 1},  {1, 100, 128, 2, 1}, {1, 100, 256, 2, 1}, {2, 100, 128, 3, 1},
                          {1, 100, 128, 1, 2}, {1, 100, 128, 2, 2}, {33, 50, 61},        {33, 50, 64},
                          {33, 50, 100},       {33, 50, 104},       {33, 50, 250}};
  const Kernels* const kernels = find_kernels(option(1, supported_kernels().back()->name));
  if (kernels == nullptr) {
    std::fprintf(stderr, "no such instruction set here: %s\n", argv[1]);
    return 1;
  }
  const int threads = std::atoi(option(2, "1").data());
  const std::string_view cell = option(3, "all"), hidden = option(4, "all");
  for (const Kind& kind : kinds) {
    if (cell != "all" && cell != kind.name) continue;
    for (const Shape shape : shapes) {
      if (hidden == "all" || hidden == std::to_string(shape.h)) measure(*kernels, kind, shape, threads);
    }
  }
  return 0;
}
