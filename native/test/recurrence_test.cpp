#include <tuple>

#include "test/recurrent_pass.h"

namespace unroll::test {
namespace {

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
  Gates options;
  bool projected;
};

const Kind kKinds[] = {{CellKind::kRnnTanh, 1, 1, Gates::kPlain, false},
                       {CellKind::kRnnRelu, 1, 1, Gates::kPlain, false},
                       {CellKind::kLstm, 4, 4, Gates::kPlain, false},
                       {CellKind::kLstm, 4, 4, Gates::kCoupled, true},
                       {CellKind::kLstm, 4, 4, Gates::kCoupledWithPeepholes, true},
                       {CellKind::kGru, 3, 2, Gates::kPlain, false},
                       {CellKind::kGruResetBefore, 3, 2, Gates::kPlain, false}};

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

/// More rows than are summed in one group, of both matrices together more columns than are packed at once, and by the
/// rows or the columns of the gradients parts for several threads, of which not all have some of each gate.
void check_long_sums() {
  ThreadPool two(2), three(3);
  const Layout layout(std::vector<int>(45, 100));
  for (const Kind& kind : {kKinds[5], kKinds[6]}) {
    for (const auto& [inputs, hidden] : {std::pair{21, 7}, {16, 16}, {21, 100}, {1000, 40}}) {
      const Sizes sizes{kind.cell, kind.gates, kind.first_gates, inputs, hidden, 0, 1, 1, Gates::kPlain, false};
      for (ThreadPool* const pool : {&two, &three}) {
        Pass pass(sizes, layout, *supported_kernels().back(), *pool);
        pass.train();
        pass.check_weight_gradients();
      }
    }
  }
  for (const auto& [inputs, hidden] : {std::pair{21, 7}, {21, 250}, {1000, 40}}) {
    const Sizes sizes{CellKind::kRnnTanh, 1, 1, inputs, hidden, 0, 1, 1, Gates::kPlain, false};
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
  const Sizes sizes{CellKind::kLstm, 4, 4, 5, 33, 0, 1, 1, Gates::kPlain, false};
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
  check_sizes({CellKind::kRnnTanh, 1, 1, 4700, 18, 0, 1, 1, Gates::kPlain, false}, {1});
  check_sizes({CellKind::kLstm, 4, 4, 3, 1170, 18, 1, 1, Gates::kPlain, false}, {1});
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

/// Weights beyond L2, for which rows are packed, and threads that each have some sequences of every step: the rows of a
/// product then lie apart.
void check_far_weights() {
  check_passes({CellKind::kLstm, 4, 4, 300, 128, 0, 1, 1, Gates::kPlain, false}, Layout(std::vector<int>(20, 6)));
}

/// More sequences than rows that one pass over a weight's panels serves, so that a product takes them in parts: on one
/// thread of one range, on several of ranges of which one is cut; and of two blocks of terms.
void check_many_sequences() {
  std::vector<int> lengths(200, 2);
  lengths.insert(lengths.end(), 7, 1);
  const Layout layout(lengths);
  for (const Kind& kind : kKinds) {
    const int64_t projection = kind.projected ? 9 : 0;
    check_passes({kind.cell, kind.gates, kind.first_gates, 5, 17, projection, 1, 1, kind.options, false}, layout);
  }
  check_passes({CellKind::kLstm, 4, 4, 300, 70, 0, 1, 1, Gates::kPlain, false}, layout);
}

/// More terms than are summed in one group, of rows that lie apart.
void check_many_terms() {
  check_passes({CellKind::kRnnTanh, 1, 1, 4700, 18, 0, 1, 1, Gates::kPlain, false}, Layout(std::vector<int>(20, 6)));
}

/// Some rows whose gates are far from 0, where a sigmoid is computed another way, among others.
void check_saturated_gates() {
  for (const Kind& kind : kKinds) {
    const int64_t projection = kind.projected ? 17 : 0;
    check_passes({kind.cell, kind.gates, kind.first_gates, 5, 33, projection, 1, 1, kind.options, false, 25.0f},
                 Layout(std::vector<int>(20, 6)));
  }
}

/// Often enough for both ways of a pass to be tried and one of them to be chosen.
void check_repeated_passes() {
  static ThreadPool two(2);
  const Layout layout(std::vector<int>{60});
  const Sizes sizes{CellKind::kLstm, 4, 4, 5, 90, 0, 1, 1, Gates::kPlain, false};
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
  check_far_weights();
  check_many_sequences();
  check_many_terms();
  check_saturated_gates();
  check_many_steps_at_once();
  check_repeated_passes();
  return finish("recurrence");
}
