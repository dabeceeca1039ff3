#pragma once

/// The product of a transposed matrix with another, a sum over the rows of a batch: gradients of weights.

#include "kernels/matmul.h"
#include "kernels/packed_sums.h"

namespace unroll::UNROLL_ISA {

/// A right operand, rows of `columns` floats, and what its products are added to: c [outputs][columns], rows `ldc`
/// floats apart.
struct RightOperand {
  Rows rows;
  int64_t columns;
  float* c;
  int64_t ldc;

  int64_t panels() const { return divide_up(columns, kPanel); }
};

/// Columns of the right operand that are packed at once; for each time the left one is packed anew. Where a tile takes
/// several panels, each group is read from beyond L2 once for kTransposedRows outputs, which is seldom enough. Else
/// both stay in L2, 352 KiB.
constexpr int64_t kTransposedColumns = kMostBeside > 1 ? 1024 : 256;

template <int kCount>
UNROLL_INLINE void copy_exactly(const float* from, float* to) {
  __builtin_memcpy(to, from, kCount * sizeof(float));
}

/// Tiles of kTileRows outputs: element (k, r) of tile i at [i][k][r], so that a tile reads one contiguous stream.
__attribute__((noinline)) inline void pack_left_transposed(const Rows& a, Range k, Range outputs, float* packed) {
  const RowTiles tiles(outputs.size());
  with_constant<kTileRows>(tiles.height, [&]<int kHeight>() {
    for (int64_t n = k.begin; n < k.end; ++n) {
      fetch_row(a, smaller(n + kSummedAhead, k.end - 1), outputs);
      const float* from = a.row(n) + outputs.begin;
      float* to = packed + (n - k.begin) * kTileRows;
      for (int64_t tile = 0; tile < tiles.higher; ++tile, from += kHeight + 1, to += kPackedTile) {
        copy_exactly<kHeight + 1>(from, to);
      }
      for (int64_t tile = tiles.higher; tile < tiles.count; ++tile, from += kHeight, to += kPackedTile) {
        copy_exactly<kHeight>(from, to);
      }
    }
  });
}

/// The panels of a part of the right operand in scratch.
inline PanelLayout packed_layout(const RightOperand& part) { return {kBlock, part.panels(), kMostBeside}; }

/// Rows k of a part of the right operand, at most kTransposedColumns of it.
__attribute__((noinline)) inline void pack_right(const RightOperand& part, Range k, float* packed) {
  const PanelLayout layout = packed_layout(part);
  PackedPanel panels[kTransposedColumns / kPanel];
  for (int64_t p = 0; p < layout.panels; ++p) {
    const PanelLayout::Place place = layout.place_of(p);
    panels[p] = {columns_of_panel(p, part.columns, 1), packed + place.begin, place.step};
  }
  pack_rows(
      k.size(), [&](int64_t n) { return part.rows.row(k.begin + n); }, panels, layout.panels);
}

/// Scratch: the packed right operand, the left one, the sums of a group, and the lanes of the left one's column sums.
constexpr int64_t kPackedRight = kBlock * kTransposedColumns;
constexpr int64_t kPackedOperands = kPackedRight + (kTransposedRows / kTileRows + 1) * kPackedTile;
constexpr int64_t kLanesInScratch = kPackedOperands + kTransposedRows * kTransposedColumns;
constexpr int64_t kMostLanesFloats = 70 * 1024;
static_assert(kLanesInScratch + kMostLanesFloats <= kScratchFloats);

/// A left operand, and the sums of its columns if they are taken while it is packed.
struct SummedLeft {
  Rows rows;
  PackedSums sums;
};

/// Right operands that share the left one: their panels follow one another. At most two.
struct RightOperands {
  RightOperand data[2];
  int64_t count;

  RightOperands and_then(const RightOperand& next) const {
    RightOperands all = *this;
    all.data[all.count++] = next;
    return all;
  }

  int64_t panels() const {
    int64_t total = 0;
    for (int64_t i = 0; i < count; ++i) total += data[i].panels();
    return total;
  }

  /// Calls body(part of an operand, first panel of it in `panels`) for all that has panels there.
  template <class Body>
  UNROLL_INLINE void for_each(Range panels, const Body& body) const {
    int64_t start = 0;
    for (int64_t i = 0; i < count; start += data[i++].panels()) {
      const int64_t first = larger(panels.begin - start, 0), last = smaller(panels.end - start, data[i].panels());
      if (first >= last) continue;
      RightOperand part = data[i];
      part.rows.data += first * kPanel;
      part.c += first * kPanel;
      part.columns = smaller(last * kPanel, part.columns) - first * kPanel;
      body(part, start + first - panels.begin);
    }
  }
};

/// Where a tile is of a single panel, each brings in a row of what is packed next: of 16 panels all that a block has,
/// of fewer a part. Packing then finds in L2 what it would wait for, while the tiles, which multiply all the time,
/// hardly notice.
constexpr bool kTilesBringRows = kMostBeside == 1;

inline Range output_block_from(int64_t i, Range outputs) { return {i, smaller(i + kTransposedRows, outputs.end)}; }

/// Some outputs of some rows, a row for each tile of so many terms. Those of `a` in memory: its order moves rows within
/// a step only.
inline FarTiles a_row_each(const Rows& a, Range rows, Range outputs, int64_t terms) {
  FarTiles far;
  far.next = a.data + rows.begin * a.stride + outputs.begin;
  far.stride = a.stride;
  far.length = far.lines = static_cast<uint32_t>(divide_up(outputs.size(), kPanel));
  far.last = static_cast<uint32_t>(rows.size() - 1);
  far.apart = 0;
  far.step = divide_up(outputs.size() * static_cast<int64_t>(sizeof(float)), terms);
  return far;
}

/// The left operand that is packed after a block of outputs of rows k: the next block, or the first one of the rows
/// after; after the last, a row that is there.
inline FarTiles packed_next(const Rows& a, Range rows, Range k, Range outputs, Range block) {
  if (block.end < outputs.end) return a_row_each(a, k, output_block_from(block.end, outputs), k.size());
  const Range after{k.end, smaller(k.end + kBlock, rows.end)};
  if (after.size() > 0) return a_row_each(a, after, output_block_from(outputs.begin, outputs), k.size());
  return a_row_each(a, {k.begin, k.begin + 1}, block, k.size());
}

/// After each packed tile the next one is read.
inline FarTiles each_the_next(const float* packed) {
  static_assert(kPackedTile % kPanel == 0);
  FarTiles far;
  far.next = packed + kPackedTile;
  far.stride = 0;
  far.length = ~uint32_t{0};
  far.lines = kPackedTile / kPanel;
  far.last = 0;
  far.apart = 0;
  far.step = kTileRows * static_cast<int64_t>(sizeof(float));
  return far;
}

/// c[i - first_output][j] += sum over n of a[n][i] * b[n][j] for n in `rows`, at most a group, for some outputs i and
/// panels; or = if `from_zero`.
__attribute__((noinline)) inline void sum_group(Range rows, const SummedLeft& a, const RightOperands& b, Range outputs,
                                                int64_t first_output, Range panels, bool from_zero, float* scratch) {
  const int64_t bytes = (outputs.end - first_output) * b.panels() * kPanel * static_cast<int64_t>(sizeof(float));
  float* const right = scratch;
  float* const left = scratch + kPackedRight;
  const auto& by_size =
      kTilesBringRows || bytes > near_bytes() ? kTilesBySize<true, true>.of : kTilesBySize<true, false>.of;
  for (int64_t n = rows.begin; n < rows.end; n += kBlock) {
    const Range k{n, smaller(n + kBlock, rows.end)};
    const bool starts = from_zero && n == rows.begin;
    b.for_each(panels,
               [&](const RightOperand& part, int64_t first) { pack_right(part, k, right + first * kPanel * kBlock); });
    for (int64_t i = outputs.begin; i < outputs.end; i += kTransposedRows) {
      const Range output_block = output_block_from(i, outputs);
      const FarTiles far = kTilesBringRows ? packed_next(a.rows, rows, k, outputs, output_block) : each_the_next(left);
      pack_left_transposed(a.rows, k, output_block, left);
      a.sums.add(left, k.size(), output_block);
      b.for_each(panels, [&](const RightOperand& part, int64_t first) {
        const RowTiles tiles(output_block.size());
        const Outputs out{part.c + (i - first_output) * part.ldc, part.ldc, part.columns};
        const Starts start = side_by_side(starts ? nullptr : out.data, out.stride, out.columns);
        const int64_t most = panels_of_tile(static_cast<int>(tiles.most_rows()));
        const Panels packed{right + first * kPanel * kBlock, packed_layout(part), false};
        for (int64_t p = 0; p < packed.layout.panels;) {
          const int64_t group = packed.at_once(p, packed.layout.panels, most), column = p * kPanel;
          Start of_group[kMostPanels];
          start.of_panels(p, group, of_group);
          const PanelBlock block = packed.block(p, {0, k.size()});
          const int64_t before = kTilesBringRows ? (first + p) * tiles.count : 0;
          tiles.for_each_height([&](int64_t in_tile, int64_t row, int64_t tile, int64_t count) {
            by_size[in_tile - 1][group - 1]({left + tile * kPackedTile, 0}, before + tile, count, block, of_group, row,
                                            out.from(row, column), &far);
          });
          p += group;
        }
      });
    }
  }
}

/// The groups after the first, each summed apart and then added, a block of outputs at a time.
inline void add_groups_apart(int64_t rows, const SummedLeft& a, const RightOperands& b, Range outputs, Range panels,
                             float* scratch) {
  float* const sums = scratch + kPackedOperands;
  RightOperands apart{{}, 0};
  b.for_each(panels, [&](const RightOperand& part, int64_t first) {
    apart.data[apart.count++] = {part.rows, part.columns, sums + first * kPanel, kTransposedColumns};
  });
  for (int64_t i = outputs.begin; i < outputs.end; i += kTransposedRows) {
    const Range output_block{i, smaller(i + kTransposedRows, outputs.end)};
    for (int64_t n = kGroup; n < rows; n += kGroup) {
      sum_group({n, smaller(n + kGroup, rows)}, a, apart, output_block, i, {0, panels.size()}, true, scratch);
      b.for_each(panels, [&](const RightOperand& part, int64_t first) {
        add_sums(sums + first * kPanel, kTransposedColumns, output_block.size(),
                 Outputs{part.c, part.ldc, part.columns}.from(i, 0));
      });
    }
  }
}

/// Of all rows: c[i][j] += sum over n of a[n][i] * b[n][j] for some outputs i and panels; and the sums of a.
inline void multiply_transposed_part(int64_t rows, const SummedLeft& a, const RightOperands& b, Range outputs,
                                     Range panels, float* scratch) {
  constexpr int64_t kPanelsAtOnce = kTransposedColumns / kPanel;
  for (int64_t p = panels.begin; p < panels.end; p += kPanelsAtOnce) {
    const Range block{p, smaller(p + kPanelsAtOnce, panels.end)};
    const SummedLeft left{a.rows, p == panels.begin ? a.sums : PackedSums{}};
    sum_group({0, smaller(kGroup, rows)}, left, b, outputs, 0, block, false, scratch);
    if (rows > kGroup) add_groups_apart(rows, left, b, outputs, block, scratch);
  }
}

/// With so few terms a sum is bound by reading and writing c, and packing would cost more than it saves.
constexpr int kFewTerms = 8;

/// The products of few rows, whose outer products are added to c in one pass.
template <int kRows>
void add_few_terms(const Rows& a, const RightOperand& b, Range outputs) {
  const float* right[kRows];
#pragma GCC unroll 8
  for (int n = 0; n < kRows; ++n) right[n] = b.rows.row(n);
  for (int64_t i = outputs.begin; i < outputs.end; ++i) {
    float* const to = b.c + i * b.ldc;
    Vec left[kRows];
#pragma GCC unroll 8
    for (int n = 0; n < kRows; ++n) left[n] = broadcast(a.row(n)[i]);
    const auto add = [&](int64_t j, int64_t width) __attribute__((always_inline)) {
      Vec total = broadcast(0.0f);
#pragma GCC unroll 8
      for (int n = 0; n < kRows; ++n) total = fma(left[n], load_columns(right[n] + j, width), total);
      store_columns(to + j, load_columns(to + j, width) + total, width);
    };
    int64_t j = 0;
    for (; j + kPanel <= b.columns; j += kPanel) add(j, kPanel);
    if (j < b.columns) add(j, b.columns - j);
  }
}

/// c += a^T b over n in [0, rows) for every right operand: row n of a, of which the first `outputs` columns count, with
/// row n of b. The sums of these columns are added to `sums`. Not inlined: every cell calls it.
__attribute__((noinline)) inline void multiply_transposed(int64_t rows, int64_t outputs, const Rows& a,
                                                          const RightOperands& b, const SumsOfColumns& sums,
                                                          Parallel& pool) {
  const int64_t panels = b.panels();
  if (rows == 0 || outputs == 0) return;
  if (panels == 0) return add_column_sums(rows, outputs, a, sums, pool);
  if (rows <= kFewTerms) {
    constexpr int64_t kCostOfUpdate = 16;  // in the time that reading and writing an element takes
    parallel_ranges(pool, outputs, panels * kPanel * (2 * rows + kCostOfUpdate), [&](Range part) {
      with_constant<kFewTerms>(rows, [&]<int kRows>() {
        for (int64_t i = 0; i < b.count; ++i) add_few_terms<kRows>(a, b.data[i], part);
      });
    });
    return add_column_sums(rows, outputs, a, sums, pool);
  }
  // Packing costs less the larger a part is, so there are as many as threads, cut along the longer side of c.
  const int64_t output_panels = divide_up(outputs, kPanel);
  const bool by_columns = panels > output_panels;
  const int64_t longer = larger(panels, output_panels), shorter = smaller(panels, output_panels);
  const int64_t parts = smaller(pool.width(), tasks_for(pool, longer, 2 * kPanel * kPanel * rows * shorter));
  const int64_t most_outputs = by_columns ? outputs : divide_up(longer, parts) * kPanel;
  const bool sums_packed = sums.wanted() && PackedSums::size(most_outputs) <= kMostLanesFloats;
  parallel_for(pool, parts, [&](int64_t task, float* scratch) {
    const Range part = part_of(longer, parts, task);
    const Range some{part.begin * kPanel, smaller(part.end * kPanel, outputs)};
    const Range of_task = by_columns ? Range{0, outputs} : some;
    const bool sums_here = sums_packed && (!by_columns || task == 0);
    const PackedSums packed{sums_here ? scratch + kLanesInScratch : nullptr, of_task};
    packed.start();
    multiply_transposed_part(rows, {a, packed}, b, of_task, by_columns ? part : Range{0, panels}, scratch);
    packed.finish(sums);
  });
  if (!sums_packed) add_column_sums(rows, outputs, a, sums, pool);
}

inline void matmul_transposed(int64_t rows, int64_t outputs, int64_t columns, const float* a, int64_t lda,
                              const int32_t* a_index, const float* b, int64_t ldb, const int32_t* b_index, float* c,
                              int64_t ldc, float* sums, Parallel& pool) {
  multiply_transposed(rows, outputs, {a, lda, a_index}, {{{{b, ldb, b_index}, columns, c, ldc}}, 1}, {{sums, nullptr}},
                      pool);
}

}  // namespace unroll::UNROLL_ISA
