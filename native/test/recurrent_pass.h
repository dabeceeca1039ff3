#pragma once

/// A pass through a stack of recurrent layers with random weights, and all that it reads and writes.

#include <algorithm>
#include <memory>

#include "runtime/recurrent_passes.h"
#include "test/check.h"

namespace unroll::test {

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

/// Options of an LSTM.
enum class Gates { kPlain, kCoupled, kCoupledWithPeepholes };

struct Sizes {
  CellKind cell;
  int64_t gates, first_gates, input, hidden, projection, layers, directions;
  Gates options;
  bool between;      // dropout between the layers, two directions summed
  float far = 1.0f;  // times as large every 11th row of the input is

  int64_t state() const { return projection > 0 ? projection : hidden; }
  int64_t inputs(int64_t layer) const { return layer == 0 ? input : outputs(); }
  int64_t outputs() const { return between ? state() : directions * state(); }
  std::string name() const {
    return "cell " + std::to_string(static_cast<int64_t>(cell)) + " I " + std::to_string(input) + " H " +
           std::to_string(hidden) + " P " + std::to_string(projection) + " x" + std::to_string(layers) + "x" +
           std::to_string(directions) + " options " + std::to_string(static_cast<int>(options)) +
           (far > 1.0f ? " far" : "");
  }
};

/// Recurrent weights of a spectral radius below 1: larger ones amplify rounding errors from step to step.
inline Floats recurrent_weights(const Sizes& s, uint32_t seed) {
  const float bound = 1.5f / std::sqrt(static_cast<float>(s.hidden));
  return random_floats(s.gates * s.hidden * s.state(), seed, -bound, bound);
}

inline void append(Floats& all, const Floats& part) { all.insert(all.end(), part.begin(), part.end()); }

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

  /// After a training pass of one layer: whether the gradients of its weights, which are computed together, are those
  /// of products of one matrix each.
  void check_weight_gradients() const {
    const RecurrentLayer& layer = layers.front();
    const RecurrentGradient& gradient = gradients.front();
    const int64_t h = s.hidden, gh = s.gates * h, first = s.first_gates * h, others = gh - first;
    const int32_t* const rows = order.back() == 0 && order.front() == 0 ? nullptr : order.data();
    const auto check_product = [&](int64_t outputs, const float* left, int64_t stride, int64_t columns,
                                   const float* right, const int32_t* right_rows, const float* actual,
                                   const float* actual_sums) {
      Floats expected(outputs * columns), sums(outputs);
      table.matmul_transposed(n, outputs, columns, left, stride, rows, right, columns, right_rows, expected.data(),
                              columns, sums.data(), threads);
      check_same(Floats(actual, actual + outputs * columns), expected, "weight gradients " + s.name());
      check_same(Floats(actual_sums, actual_sums + outputs), sums, "bias gradients " + s.name());
    };
    const float* const kept = layer.recurrent;
    check_product(gh, layer.gates, gh, s.input, x, rows, gradient.d_w_ih, gradient.d_b_ih);
    check_product(first, layer.gates, gh, s.state(), layer.states, previous.data(), gradient.d_w_hh, gradient.d_b_hh);
    float *const d_w = gradient.d_w_hh + first * s.state(), *const d_b = gradient.d_b_hh + first;
    if (s.cell == CellKind::kGru) check_product(others, kept, h, s.state(), layer.states, previous.data(), d_w, d_b);
    if (s.cell == CellKind::kGruResetBefore) {
      check_product(others, layer.gates + first, gh, s.state(), kept, rows, d_w, d_b);
    }
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
      Floats rows = random_floats(n * s.input, 1);
      for (int64_t i = 0; i < n * s.input; ++i) rows[i] *= i / s.input % 11 == 0 ? s.far : 1.0f;
      x = buffers.keep(rows);
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
    const bool peepholes = s.options == Gates::kCoupledWithPeepholes;
    layer.options.peepholes = peepholes ? buffers.keep(random_floats(3 * h, seed + 9)) : nullptr;
    layer.options.recurrent_bias = s.cell == CellKind::kGru ? buffers.keep(random_floats(h, seed + 9)) : nullptr;
    layer.options.coupled = s.options != Gates::kPlain;
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

}  // namespace unroll::test
