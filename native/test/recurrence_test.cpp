#include <algorithm>
#include <memory>
#include <tuple>

#include "runtime/recurrent_passes.h"
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
  int64_t gates, first_gates, input, hidden, projection, layers, directions;
  bool options;  // peepholes and coupled gates of an LSTM
  bool between;  // dropout between the layers, two directions summed

  int64_t state() const { return projection > 0 ? projection : hidden; }
  int64_t inputs(int64_t layer) const { return layer == 0 ? input : outputs(); }
  int64_t outputs() const { return between ? state() : directions * state(); }
  std::string name() const {
    return "cell " + std::to_string(static_cast<int64_t>(cell)) + " I " + std::to_string(input) + " H " +
           std::to_string(hidden) + " P " + std::to_string(projection) + " x" + std::to_string(layers) + "x" +
           std::to_string(directions);
  }
};

/// Recurrent weights of a spectral radius below 1: larger ones amplify rounding errors from step to step.
Floats recurrent_weights(const Sizes& s, uint32_t seed) {
  const float bound = 1.5f / std::sqrt(static_cast<float>(s.hidden));
  return random_floats(s.gates * s.hidden * s.state(), seed, -bound, bound);
}

void append(Floats& all, const Floats& part) { all.insert(all.end(), part.begin(), part.end()); }

/// Owns the buffers of a call and hands out their addresses, which do not move.
class Buffers {
 public:
  float* keep(Floats values) {
    all_.push_back(std::make_unique<Floats>(std::move(values)));
    return all_.back()->data();
  }
  float* zeros(int64_t rows, int64_t columns) { return keep(Floats(rows * columns)); }
  Floats contents() const {
    Floats result;
    for (const auto& buffer : all_) append(result, *buffer);
    return result;
  }

 private:
  std::vector<std::unique_ptr<Floats>> all_;
};

/// How a pass gets its input: a row of its own for each packed row, or rows of a table, by index or written out.
enum class Input { kOwn, kByIndex, kWrittenOut };

/// Describes and runs one pass.
class Pass {
 public:
  Pass(const Sizes& sizes, const Layout& layout, const Kernels& kernels, Parallel& pool, bool plain = false,
       Input input = Input::kOwn, int64_t distinct_rows = 7)
      : s(sizes),
        steps(layout.steps()),
        n(layout.rows()),
        b(steps.sequences),
        plain_weights(plain),
        kind_of_input(input),
        table_rows(distinct_rows),
        table(kernels),
        threads(pool) {}

  /// Everything that a forward and a backward pass write.
  Floats train() {
    describe(true);
    const RecurrentCall described = call(4, true);
    recurrent_forward(table, described, threads);
    recurrent_backward(table, described, gradients.data(), threads);
    return buffers.contents();
  }

  /// After a training pass of one layer: whether the gradients of its weights, which one product gives, are those of
  /// two.
  void check_weight_gradients() const {
    const RecurrentLayer& layer = layers.front();
    const RecurrentGradient& gradient = gradients.front();
    const int64_t gh = s.gates * s.hidden;
    const int32_t* const rows = order.back() == 0 && order.front() == 0 ? nullptr : order.data();
    const auto check_product = [&](int64_t columns, const float* right, const int32_t* right_rows,
                                   const float* actual) {
      Floats expected(gh * columns), sums(gh);
      table.matmul_transposed(n, gh, columns, layer.gates, gh, rows, right, columns, right_rows, expected.data(),
                              columns, sums.data(), threads);
      check_same(Floats(actual, actual + gh * columns), expected, "weight gradients " + s.name());
      check_same(Floats(gradient.d_b_ih, gradient.d_b_ih + gh), sums, "bias gradients " + s.name());
    };
    check_product(s.input, x, rows, gradient.d_w_ih);
    check_product(s.state(), layer.states, previous.data(), gradient.d_w_hh);
  }

  /// After a training pass: all results that are the same to the bit for an input by index and written out.
  Floats independent_of_input() const {
    Floats result;
    const auto add = [&](const float* from, int64_t size) { result.insert(result.end(), from, from + size); };
    const int64_t gh = s.gates * s.hidden;
    for (const float* layer : states) add(layer, (b + n) * s.directions * s.state());
    for (size_t e = 0; e < layers.size(); ++e) {
      const RecurrentGradient& gradient = gradients[e];
      add(layers[e].final_state, b * s.state());
      add(layers[e].gates, n * gh);
      add(gradient.d_w_hh, gh * s.state());
      add(gradient.d_w_hr, s.projection * s.hidden);
      add(gradient.d_b_ih, gh);
      add(gradient.d_b_hh, gh);
      add(gradient.d_peepholes, 3 * s.hidden);
      add(gradient.d_initial_state, b * s.state());
      if (e >= static_cast<size_t>(s.directions)) add(gradient.d_w_ih, gh * s.outputs());
    }
    return result;
  }

  /// After a training pass by index: whether the gradients of W_ih and of the table are the sums of what a pass over
  /// the input written out has.
  void check_table_gradients(const Pass& written_out, const std::string& what) const {
    const int64_t gh = s.gates * s.hidden;
    for (int64_t d = 0; d < s.directions; ++d) {
      const float* const gates = written_out.layers[d].gates;
      for (int64_t j = 0; j < gh; ++j) {
        for (int64_t i = 0; i < s.input; ++i) {
          double sum = 0;
          for (int64_t r = 0; r < n; ++r)
            sum += static_cast<double>(gates[r * gh + j]) * written_out.x[r * s.input + i];
          check_close(gradients[d].d_w_ih[j * s.input + i], sum, kSummed, "W_ih " + what);
        }
      }
    }
    std::vector<double> sums(table_rows * s.input);
    for (int64_t r = 0; r < n; ++r) {
      for (int64_t i = 0; i < s.input; ++i) sums[index[r] * s.input + i] += written_out.d_input[r * s.input + i];
    }
    for (size_t i = 0; i < sums.size(); ++i) check_close(d_input[i], sums[i], kSummed, "table " + what);
  }

  /// After a training pass by index of one layer: whether its gradients have the documented order of sums.
  void check_order_of_table_sums() const {
    const int64_t gh = s.gates * s.hidden;
    const int32_t* const rows = order.back() == 0 && order.front() == 0 ? nullptr : order.data();
    Floats sums(table_rows * gh), groups(sums), blocks(sums), weights(gh * s.input),
        table_gradient(table_rows * s.input);
    std::vector<int64_t> counts(table_rows);
    const auto end = [&](int64_t row, Floats& parts, Floats& whole) {
      for (int64_t j = row * gh; j < (row + 1) * gh; ++j) whole[j] += parts[j], parts[j] = 0;
    };
    for (int64_t i = 0; i < n; ++i) {
      const int64_t r = rows == nullptr ? i : rows[i], row = index[r];
      for (int64_t j = 0; j < gh; ++j) blocks[row * gh + j] += layers.front().gates[r * gh + j];
      if (++counts[row] % 256 == 0) end(row, blocks, groups);
      if (counts[row] % 4096 == 0) end(row, groups, sums);
    }
    for (int64_t row = 0; row < table_rows; ++row) end(row, blocks, groups), end(row, groups, sums);
    table.matmul_transposed(table_rows, gh, s.input, sums.data(), gh, nullptr, x, s.input, nullptr, weights.data(),
                            s.input, nullptr, threads);
    check_same(Floats(gradients[0].d_w_ih, gradients[0].d_w_ih + gh * s.input), weights, "sums of W_ih " + s.name());
    table.matmul(table_rows, gh, s.input, sums.data(), gh, gradients[0].w_ih_back_panels, WeightForm::kPanels, nullptr,
                 false, table_gradient.data(), s.input, threads);
    check_same(Floats(d_input, d_input + table_rows * s.input), table_gradient, "sums of the table " + s.name());
  }

  /// States of all layers and the final states of a forward pass that keeps all or only what it needs.
  Floats outputs(int64_t chunk, bool keeps_all) {
    chunk_rows = chunk * b;
    describe(keeps_all);
    recurrent_forward(table, call(chunk, keeps_all), threads);
    Floats result;
    for (const float* layer : states) result.insert(result.end(), layer, layer + (b + n) * s.directions * s.state());
    for (const RecurrentLayer& layer : layers) {
      result.insert(result.end(), layer.final_state, layer.final_state + b * s.state());
      result.insert(result.end(), layer.final_cells, layer.final_cells + b * s.hidden);
    }
    return result;
  }

 private:
  void describe(bool keeps_all) {
    const int64_t width = s.directions * s.state(), outputs = s.outputs();
    kept_rows = keeps_all ? n : chunk_rows;
    describe_input();
    for (int64_t l = 0; l < s.layers; ++l) {
      d_outputs.push_back(l == s.layers - 1 ? buffers.keep(random_floats(n * outputs, 2)) : buffers.zeros(n, outputs));
      states.push_back(buffers.zeros(b + n, width));
    }
    d_input = buffers.zeros(by_index() ? table_rows : n, s.input);
    order.resize(n);
    previous.resize(n);
    readers.resize(n);
    first_readers.resize(table_rows + 1);
    for (int64_t l = 0; l < s.layers; ++l) {
      for (int64_t d = 0; d < s.directions; ++d) add_entry(l, d, keeps_all);
    }
  }

  /// Sums of at most some hundred products of at most 10, in float.
  static constexpr double kSummed = 1e-4;

  bool by_index() const { return kind_of_input == Input::kByIndex; }

  void describe_input() {
    if (kind_of_input == Input::kOwn) {
      x = buffers.keep(random_floats(n * s.input, 1));
      return;
    }
    const Floats rows = random_floats(table_rows * s.input, 1);
    for (int64_t r = 0; r < n; ++r) index.push_back(static_cast<int32_t>((r * r + r / 3) % (table_rows - 1)));
    Floats written_out;
    for (const int32_t row : index) {
      written_out.insert(written_out.end(), rows.begin() + row * s.input, rows.begin() + (row + 1) * s.input);
    }
    x = buffers.keep(by_index() ? rows : written_out);
  }

  RecurrentCall call(int64_t chunk_steps, bool keeps_all) const {
    return {.cell = s.cell,
            .input_size = s.input,
            .hidden = s.hidden,
            .state_size = s.state(),
            .layer_count = s.layers,
            .directions = s.directions,
            .summed = s.between && s.directions == 2,
            .dropout = s.between ? 0.3 : 0.0,
            .dropout_key = 99,
            .chunk_steps = chunk_steps,
            .keeps_all = keeps_all,
            .plain_weights = plain_weights,
            .steps = steps,
            .input = x,
            .input_index = by_index() ? index.data() : nullptr,
            .input_rows = table_rows,
            .layers = layers.data()};
  }

  /// Not compared: where panels lie is up to each instruction set.
  const float* pack_weight(const Floats& w, int64_t rows, int64_t columns, int64_t groups, bool transposed) {
    if (plain_weights) return panels.keep(w);
    return transposed ? panels.keep(pack(table, threads, w.data(), columns, columns, rows, groups, true))
                      : panels.keep(pack(table, threads, w.data(), columns, rows, columns, 1, false));
  }

  void add_entry(int64_t l, int64_t d, bool keeps_all) {
    const uint32_t seed = static_cast<uint32_t>(10 * l + 100 * d);
    const int64_t h = s.hidden, p = s.state(), gh = s.gates * h, first = s.first_gates * h, in = s.inputs(l);
    const Floats w_ih = random_floats(gh * in, seed + 3, -0.4f, 0.4f), w_hh = recurrent_weights(s, seed + 4);
    const Floats second(w_hh.begin() + first * p, w_hh.end()), w_hr = random_floats(s.projection * h, seed + 8);
    const bool lstm = s.cell == CellKind::kLstm;
    RecurrentLayer layer{};
    layer.w_ih_panels = pack_weight(w_ih, gh, in, 1, true);
    layer.w_hh_panels = pack_weight(w_hh, gh, p, s.gates, true);
    layer.w_hr_panels = s.projection > 0 ? pack_weight(w_hr, p, h, 1, true) : nullptr;
    layer.bias = buffers.keep(random_floats(gh, seed + 5));
    layer.options.peepholes = lstm && s.options ? buffers.keep(random_floats(3 * h, seed + 9)) : nullptr;
    layer.options.recurrent_bias = s.cell == CellKind::kGru ? buffers.keep(random_floats(h, seed + 9)) : nullptr;
    layer.options.coupled = s.options;
    layer.initial_state = buffers.keep(random_floats(b * p, seed + 6));
    layer.initial_cells = lstm ? buffers.keep(random_floats(b * h, seed + 7)) : nullptr;
    layer.final_state = buffers.zeros(b, p);
    layer.final_cells = buffers.zeros(b, h);
    layer.states = states[l] + d * p;
    layer.cells = buffers.zeros(keeps_all ? b + n : b, h);
    layer.gates = buffers.zeros(kept_rows, gh);
    layer.recurrent = buffers.zeros(kept_rows, h);
    layer.unprojected = buffers.zeros(kept_rows, h);
    layer.outputs = s.between && d == 0 ? buffers.zeros(n, p) : nullptr;
    layer.of_table = by_index() && l == 0 ? buffers.zeros(table_rows, gh) : nullptr;
    layers.push_back(layer);

    RecurrentGradient gradient{};
    gradient.w_ih_back_panels = pack_weight(w_ih, gh, in, 1, false);
    gradient.w_hh_back_panels[0] = pack_weight(w_hh, first, p, 1, false);
    gradient.w_hh_back_panels[1] = pack_weight(second, gh - first, p, 1, false);
    gradient.w_hr_back_panels = s.projection > 0 ? pack_weight(w_hr, p, h, 1, false) : nullptr;
    gradient.d_output = d_outputs[l] + (s.between ? 0 : d * p);
    gradient.d_final_state = buffers.keep(random_floats(b * p, seed + 1));
    gradient.d_final_cells = d == 0 ? buffers.keep(random_floats(b * h, seed + 2)) : nullptr;
    gradient.d_initial_state = buffers.zeros(b, p);
    gradient.d_initial_cells = buffers.zeros(b, h);
    gradient.d_input = l == 0 ? d_input : d_outputs[l - 1];
    gradient.d_w_ih = buffers.zeros(gh, in);
    gradient.d_w_hh = buffers.zeros(gh, p);
    gradient.d_w_hr = buffers.zeros(p, h);
    gradient.d_b_ih = buffers.zeros(1, gh);
    gradient.d_b_hh = buffers.zeros(1, gh);
    gradient.d_peepholes = buffers.zeros(3, h);
    gradient.d_h = buffers.zeros(b, p);
    gradient.d_c = buffers.zeros(b, h);
    gradient.d_unprojected = buffers.zeros(b, h);
    gradient.d_projected = buffers.zeros(n, p);
    gradient.row_order = order.data();
    gradient.previous_rows = previous.data();
    gradient.readers = readers.data();
    gradient.first_readers = first_readers.data();
    gradients.push_back(gradient);
  }

  const Sizes& s;
  const Steps steps;
  const int64_t n, b;
  const bool plain_weights;
  const Input kind_of_input;
  const int64_t table_rows;
  const Kernels& table;
  Parallel& threads;
  Buffers buffers, panels;
  std::vector<float*> states, d_outputs;
  const float* x = nullptr;
  float* d_input = nullptr;
  int64_t chunk_rows = 0, kept_rows = 0;
  std::vector<int32_t> index, order, previous, readers, first_readers;
  std::vector<RecurrentLayer> layers;
  std::vector<RecurrentGradient> gradients;
};

/// The forward pass of one layer and direction, textbook loops in double precision.
void check_forward(const Sizes& s, const Layout& layout, const std::vector<int>& lengths, const Floats& all) {
  // The first three buffers of a pass are the input, dE/d outputs and the states of the only layer.
  const int64_t n = layout.rows(), b = static_cast<int64_t>(lengths.size()), h = s.hidden;
  const float* states = all.data() + n * s.input + n * h;
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

struct Kind {
  CellKind cell;
  int64_t gates, first_gates;
  bool options, projected;
};

const Kind kKinds[] = {{CellKind::kRnnTanh, 1, 1, false, false}, {CellKind::kRnnRelu, 1, 1, false, false},
                       {CellKind::kLstm, 4, 4, false, false},    {CellKind::kLstm, 4, 4, true, true},
                       {CellKind::kGru, 3, 2, false, false},     {CellKind::kGruResetBefore, 3, 2, false, false}};

/// A training pass and passes that only answer, by chunks of different lengths: the same bits everywhere.
Floats check_passes(const Sizes& sizes, const Layout& layout) {
  static ThreadPool alone(1);
  const Floats all = same_everywhere("recurrence " + sizes.name(), [&](const auto& kernels, auto& pool) {
    return Pass(sizes, layout, kernels, pool).train();
  });
  const Floats kept = Pass(sizes, layout, generic::kKernels, alone).outputs(4, true);
  for (const int64_t chunk : {1, 3}) {
    const Floats light = same_everywhere("inference " + sizes.name(), [&](const auto& kernels, auto& pool) {
      return Pass(sizes, layout, kernels, pool).outputs(chunk, false);
    });
    check_same(light, kept, "inference against training " + sizes.name());
  }
  return all;
}

/// More rows than are summed in one group, and of both matrices together more columns than are packed at once.
void check_long_sums() {
  ThreadPool two(2);
  const Layout layout(std::vector<int>(45, 100));
  for (const auto& [inputs, hidden] : {std::pair{21, 7}, {21, 250}, {1000, 40}}) {
    const Sizes sizes{CellKind::kRnnTanh, 1, 1, inputs, hidden, 0, 1, 1, false, false};
    Pass pass(sizes, layout, *supported_kernels().back(), two);
    pass.train();
    pass.check_weight_gradients();
    // So many rows that their sums have two blocks, and that several threads share them; and one that all steps read.
    for (const int64_t table_rows : {7, 600, 2}) {
      Pass by_index(sizes, layout, *supported_kernels().back(), two, false, Input::kByIndex, table_rows);
      by_index.train();
      by_index.check_order_of_table_sums();
    }
  }
}

/// More steps in a chunk than a part of the sequences has pieces of rows handed on at once.
void check_many_steps_at_once() {
  static ThreadPool alone(1);
  const Layout layout(std::vector<int>(8, 150));
  const Sizes sizes{CellKind::kLstm, 4, 4, 5, 33, 0, 1, 1, false, false};
  const Floats expected = Pass(sizes, layout, generic::kKernels, alone).outputs(4, true);
  everywhere([&](const Kernels& kernels, Parallel& pool, const std::string& how) {
    check_same(Pass(sizes, layout, kernels, pool).outputs(150, true), expected, "150 steps at once" + how);
  });
}

/// Few rows by weights as they are: the same bits as by panels.
void check_plain_weights() {
  static ThreadPool alone(1);
  const auto check_sizes = [&](const Sizes& sizes, const std::vector<int>& lengths) {
    const Layout layout(lengths);
    const Floats packed = Pass(sizes, layout, generic::kKernels, alone).train();
    everywhere([&](const Kernels& kernels, Parallel& pool, const std::string& how) {
      check_same(Pass(sizes, layout, kernels, pool, true).train(), packed, "plain weights " + sizes.name() + how);
    });
  };
  for (const Kind& kind : kKinds) {
    const int64_t gates = kind.gates, first = kind.first_gates;
    for (const int64_t hidden : {2, 7, 16, 33, 64, 272}) {
      const int64_t projection = kind.projected ? (hidden + 1) / 2 : 0;
      for (const std::vector<int>& lengths : {std::vector<int>{1}, {1, 1}, {2}, {2, 1, 0}, {}}) {
        if (hidden > 64 && lengths.size() != 1) continue;
        for (const int64_t input : {5, 64}) {
          check_sizes({kind.cell, gates, first, input, hidden, projection, 1, 1, kind.options, false}, lengths);
        }
      }
      check_sizes({kind.cell, gates, first, 5, hidden, projection, 2, 2, kind.options, hidden % 2 == 1}, {2, 1});
    }
  }
  // More terms than are summed in one group, forward and backward.
  check_sizes({CellKind::kRnnTanh, 1, 1, 4700, 18, 0, 1, 1, false, false}, {1});
  check_sizes({CellKind::kLstm, 4, 4, 3, 1170, 18, 1, 1, false, false}, {1});
}

/// An input by index against the same input written out.
void check_input_by_index() {
  static ThreadPool alone(1);
  const auto check_sizes = [&](const Sizes& sizes, const std::vector<int>& lengths, bool plain) {
    const Layout layout(lengths);
    const std::string what = "by index " + sizes.name();
    Pass written_out(sizes, layout, generic::kKernels, alone, plain, Input::kWrittenOut);
    Pass by_index(sizes, layout, generic::kKernels, alone, plain, Input::kByIndex);
    written_out.train();
    const Floats all = by_index.train();
    check_same(by_index.independent_of_input(), written_out.independent_of_input(), what);
    by_index.check_table_gradients(written_out, what);
    Pass light(sizes, layout, generic::kKernels, alone, plain, Input::kWrittenOut);
    const Floats outputs = light.outputs(3, false);
    everywhere([&](const Kernels& kernels, Parallel& pool, const std::string& how) {
      Pass pass(sizes, layout, kernels, pool, plain, Input::kByIndex);
      check_same(pass.train(), all, what + how);
      Pass inference(sizes, layout, kernels, pool, plain, Input::kByIndex);
      check_same(inference.outputs(3, false), outputs, what + ", inference" + how);
    });
  };
  for (const Kind& kind : kKinds) {
    for (const std::vector<int>& lengths :
         {std::vector<int>{}, {0}, {1}, {3, 3, 2, 0}, std::vector<int>(20, 6), {160, 131}}) {
      for (const auto& [hidden, layer_count, directions] :
           {std::tuple{7, 1, 1}, {33, 1, 2}, {33, 2, 1}, {80, 2, 2}, {260, 1, 1}}) {
        if (hidden > 33 && lengths.size() == 2) continue;
        const int64_t projection = kind.projected ? (hidden + 1) / 2 : 0;
        check_sizes({kind.cell, kind.gates, kind.first_gates, 5, hidden, projection, layer_count, directions,
                     kind.options, directions == 2},
                    lengths, lengths.size() == 1);
      }
    }
  }
}

/// Long enough for threads to share layers or directions.
void check_shared_stacks() {
  for (const std::vector<int>& lengths : {std::vector<int>{200}, {160, 131}}) {
    for (const Kind& kind : kKinds) {
      for (const auto& [layer_count, directions] : {std::pair{3, 1}, {1, 2}, {2, 2}}) {
        const int64_t hidden = 33, projection = kind.projected ? 17 : 0;
        const bool between = layer_count == 3 || lengths.size() == 2;
        check_passes({kind.cell, kind.gates, kind.first_gates, 5, hidden, projection, layer_count, directions,
                      kind.options, between},
                     Layout(lengths));
      }
    }
  }
}

/// Often enough for both ways of a pass to be tried and one of them to be chosen.
void check_repeated_passes() {
  static ThreadPool two(2);
  const Layout layout(std::vector<int>{60});
  const Sizes sizes{CellKind::kLstm, 4, 4, 5, 90, 0, 1, 1, false, false};
  const auto train = [&] { return Pass(sizes, layout, *supported_kernels().back(), two).train(); };
  const Floats first = train();
  for (int pass = 0; pass < 300; ++pass) check_same(train(), first, "pass " + std::to_string(pass));
}

}  // namespace
}  // namespace unroll::test

/// More than the rows that a pass over the recurrent weights serves, for the weights that threads divide.
constexpr size_t kManySequences = 70;

int main() {
  using namespace unroll::test;
  using unroll::CellKind;
  const unroll::FlushDenormals scope;
  const std::vector<std::vector<int>> batches = {{},
                                                 {0, 0},
                                                 {1},
                                                 {9},
                                                 {3, 3, 3},
                                                 {7, 7, 5, 4, 4, 2, 1, 0, 0},
                                                 std::vector<int>(20, 6),
                                                 std::vector<int>(kManySequences, 2)};
  for (const std::vector<int>& lengths : batches) {
    const Layout layout(lengths);
    for (const Kind& kind : kKinds) {
      for (const int64_t hidden : {2, 7, 16, 17, 33, 260}) {
        for (const auto& [layer_count, directions] : {std::pair{1, 1}, {2, 2}}) {
          const bool large = hidden == 260, many = lengths.size() == kManySequences;
          if (large ? layer_count > 1 || (lengths.size() > 3 && !many) : many) continue;
          const int64_t projection = kind.projected ? (hidden + 1) / 2 : 0;
          const Sizes sizes{kind.cell,        kind.gates,
                            kind.first_gates, 5,
                            hidden,           projection,
                            layer_count,      directions,
                            kind.options,     layer_count == 2 && hidden % 2 == 1};
          const Floats all = check_passes(sizes, layout);
          if (kind.cell == CellKind::kRnnTanh && layer_count == 1) check_forward(sizes, layout, lengths, all);
        }
      }
    }
  }
  check_shared_stacks();
  check_plain_weights();
  check_input_by_index();
  check_long_sums();
  check_many_steps_at_once();
  check_repeated_passes();
  return finish("recurrence");
}
