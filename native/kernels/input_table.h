#pragma once

/// An input by index: its rows are those of a table, such as the vectors of tokens, and most of them occur often. What
/// is linear in a row is computed once for each row of the table: the input products, copied from there, and from the
/// sums of the gates' gradients over the rows that read it the gradients of W_ih and of the table. Not inlined what
/// every cell calls.

#include "kernels/block_sums.h"
#include "kernels/layer_rows.h"
#include "kernels/matmul_transposed.h"

namespace unroll::UNROLL_ISA {

inline Outputs table_outputs(const LayerRows& rows) {
  return {rows.layer.of_table, rows.gate_columns(), rows.gate_columns()};
}

/// The input products of the whole table.
inline void multiply_table(const LayerRows& rows, const LayerInput& input, Parallel& pool) {
  const RowRange all{0, 0, input.table_rows};
  Product product = rows.input_product(input, {&all, 1});
  product.out = table_outputs(rows);
  multiply(product, pool);
}

/// Copies the input products of some rows and panels of gates.
__attribute__((noinline)) inline void copy_products_of(const LayerRows& layer, const LayerInput& input,
                                                       const RowRanges& rows, Range panels) {
  const int64_t columns = layer.gate_columns(), first = panels.begin * kPanel;
  const int64_t size = smaller(panels.end * kPanel, columns) - first;
  rows.for_each([&](const RowRange& range) {
    for (int64_t r = 0; r < range.count; ++r) {
      copy_floats(layer.layer.of_table + input.index[range.from + r] * columns + first,
                  layer.gates(range.to + r) + first, size);
    }
  });
}

/// The same of all gates, on the threads of the pool.
__attribute__((noinline)) inline void copy_products(const LayerRows& layer, const LayerInput& input,
                                                    const RowRanges& rows, Parallel& pool) {
  int64_t count = 0;
  rows.for_each([&](const RowRange& range) { count += range.count; });
  parallel_ranges(pool, divide_up(layer.gate_columns(), kPanel), 2 * kPanel * count,
                  [&](Range panels) { copy_products_of(layer, input, rows, panels); });
}

/// For each row of a table the packed rows that read it, in the order of a sum (null: the packed one).
inline void find_readers(int64_t rows, const int32_t* index, const int32_t* order, int64_t table_rows,
                         const RecurrentGradient& gradient) {
  int32_t* const first = gradient.first_readers;
  for (int64_t i = 0; i <= table_rows; ++i) first[i] = 0;
  for (int64_t n = 0; n < rows; ++n) ++first[index[n]];
  int32_t end = 0;
  for (int64_t i = 0; i <= table_rows; ++i) first[i] = end += first[i];
  for (int64_t n = rows; n-- > 0;) {
    const int32_t row = order == nullptr ? static_cast<int32_t>(n) : order[n];
    gradient.readers[--first[index[row]]] = row;
  }
}

/// of_table = the sums of the gates' gradients over the readers of each row of the table.
inline void sum_readers(const LayerRows& layer, int64_t table_rows, const RecurrentGradient& gradient, Parallel& pool) {
  constexpr int kAtOnce = 4;
  const int64_t columns = layer.gate_columns(), pieces = divide_up(columns, kAtOnce * kPanel);
  const int64_t readers = divide_up(packed_rows(layer.steps()), larger(1, table_rows));
  const Outputs out = table_outputs(layer);
  parallel_ranges(pool, table_rows * pieces, 2 * kAtOnce * kPanel * readers, [&](Range part) {
    for (int64_t i = part.begin; i < part.end; ++i) {
      const int64_t row = i / pieces, column = i % pieces * kAtOnce * kPanel;
      const int32_t* const index = gradient.readers + gradient.first_readers[row];
      const int64_t count = gradient.first_readers[row + 1] - gradient.first_readers[row];
      const Rows rows{layer.layer.gates + column, columns, index};
      const auto sum = [&]<int kPanels>() {
        Vec sums[kPanels];
        const int64_t width = columns - column;
        sum_in_blocks<kPanels>(
            count,
            [&](int64_t n, int v)
                UNROLL_INLINE_LAMBDA { return load_columns(rows.row(n) + v * kPanel, width - v * kPanel); },
            sums);
        for (int v = 0; v < kPanels; ++v) {
          const Outputs to = out.from(row, column + v * kPanel);
          store_columns(to.data, sums[v], to.columns);
        }
      };
      with_constant<kAtOnce>(smaller(kAtOnce, divide_up(columns - column, kPanel)), sum);
    }
  });
}

/// Adds to the gradient of W_ih, and computes that of the table: the first direction's, to which the second adds.
__attribute__((noinline)) inline void add_table_gradients(const LayerRows& layer, const LayerInput& input,
                                                          const RecurrentGradient& gradient, const int32_t* order,
                                                          Parallel& pool) {
  const int64_t rows = input.table_rows, columns = layer.gate_columns();
  find_readers(packed_rows(layer.steps()), input.index, order, rows, gradient);
  sum_readers(layer, rows, gradient, pool);
  const Rows sums{layer.layer.of_table, columns, nullptr};
  multiply_transposed(rows, {{{sums, columns, {0, 1}, 0, {}}}, 1},
                      {{{{input.rows, input.size, nullptr}, input.size, gradient.d_w_ih, input.size}}, 1}, pool);
  const RowRange all{0, 0, rows};
  const Panels w_ih = layer.backward_weight(gradient.w_ih_back_panels, columns, input.size);
  const Starts start = side_by_side(layer.reverse ? gradient.d_input : nullptr, input.size, input.size);
  multiply({{layer.layer.of_table, columns}, w_ih, {&all, 1}, start, {gradient.d_input, input.size, input.size}}, pool);
}

}  // namespace unroll::UNROLL_ISA
