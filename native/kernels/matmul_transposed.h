#pragma once

/// The product of a transposed matrix with another, a sum over the rows of a batch: gradients of weights.

#include "kernels/transposed_operands.h"

namespace unroll::UNROLL_ISA {

/// Scratch: the packed right operand, the left one, the sums of a group, and the lanes of the left one's column sums.
constexpr int64_t kPackedRight = kBlock * kTransposedColumns;
constexpr int64_t kPackedOperands = kPackedRight + (kTransposedRows / kTileRows + 1) * kPackedTile;
constexpr int64_t kLanesInScratch = kPackedOperands + kTransposedRows * kTransposedColumns;
constexpr int64_t kMostLanesFloats = 70 * 1024;
static_assert(kLanesInScratch + kMostLanesFloats <= kScratchFloats);

/// Where a tile is of a single panel, each brings in a row of what is packed next: of 16 panels all that a block has,
/// of fewer a part. Packing then finds in L2 what it would wait for, while the tiles, which multiply all the time,
/// hardly notice.
constexpr bool kTilesBringRows = kMostBeside == 1;

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

/// A part of a left operand: some outputs and the panels that they are multiplied by, counted over all right operands.
struct LeftPart {
  Rows rows;
  Range outputs, panels;
  int64_t to;       ///< the row of c where the products of output 0 go
  PackedSums sums;  ///< of the columns, if they are taken while these are packed

  UNROLL_INLINE Range block_from(int64_t i) const { return {i, smaller(i + kTransposedRows, outputs.end)}; }
};

struct LeftParts {
  LeftPart data[kMostTogether];
  int64_t count;

  void add(const LeftPart& part) { data[count++] = part; }

  /// What of them has some of the panels. The sums are taken with the first panel.
  LeftParts of_panels(Range some) const {
    LeftParts parts{{}, 0};
    for (int64_t i = 0; i < count; ++i) {
      LeftPart part = data[i];
      part.panels = intersection(part.panels, some);
      if (part.panels.size() == 0) continue;
      if (part.panels.begin > data[i].panels.begin) part.sums.lanes = nullptr;
      parts.add(part);
    }
    return parts;
  }

  /// Of what the products are added to.
  int64_t bytes() const {
    int64_t total = 0;
    for (int64_t i = 0; i < count; ++i) total += data[i].outputs.size() * data[i].panels.size();
    return total * kPanel * static_cast<int64_t>(sizeof(float));
  }

  /// What is packed after a block of outputs of rows k: the next block of the operand, the first of the next operand,
  /// that of the first operand for the rows after or, after the last, a row that is there.
  FarTiles packed_after(int64_t operand, Range block, Range k, Range rows) const {
    const LeftPart& part = data[operand];
    if (block.end < part.outputs.end) return a_row_each(part.rows, k, part.block_from(block.end), k.size());
    const Range after{k.end, smaller(k.end + kBlock, rows.end)};
    const bool is_last = operand + 1 == count;
    if (is_last && after.size() == 0) return a_row_each(part.rows, {k.begin, k.begin + 1}, block, k.size());
    const LeftPart& next = data[is_last ? 0 : operand + 1];
    return a_row_each(next.rows, is_last ? after : k, next.block_from(next.outputs.begin), k.size());
  }
};

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

/// One block of outputs, as packed, by the panels of its operand: c[to + i][j] += sum over n in k of a[n][i] * b[n][j],
/// or = if `starts`. `panels` of the right operands are packed at `right`.
inline void multiply_packed(const LeftPart& a, Range block, const RightOperands& b, Range panels, int64_t k_size,
                            bool starts, const float* left, const float* right, bool brings, const FarTiles& far) {
  int64_t to[kTransposedRows];
  for (int64_t r = 0; r < kTransposedRows; ++r) to[r] = r;
  const auto& by_size = brings ? kTilesBySize<true, true>.of : kTilesBySize<true, false>.of;
  const RowTiles tiles(block.size());
  const int64_t most = panels_of_tile(static_cast<int>(tiles.most_rows())), skipped = a.panels.begin - panels.begin;
  b.for_each(a.panels, [&](const RightOperand& part, int64_t first) {
    const Outputs out{part.c + (a.to + block.begin) * part.ldc, part.ldc, part.columns};
    const Starts start = side_by_side(starts ? nullptr : out.data, out.stride, out.columns);
    const Panels packed{right + (skipped + first) * kPanel * kBlock, packed_layout(part), false};
    for (int64_t p = 0; p < packed.layout.panels;) {
      const int64_t group = packed.at_once(p, packed.layout.panels, most), column = p * kPanel;
      Start of_group[kMostPanels];
      start.of_panels(p, group, of_group);
      const PanelBlock of_panels = packed.block(p, {0, k_size});
      const int64_t before = kTilesBringRows ? (first + p) * tiles.count : 0;
      tiles.for_each_height([&](int64_t in_tile, int64_t row, int64_t tile, int64_t count) {
        by_size[in_tile - 1][group - 1]({left + tile * kPackedTile, to + row}, before + tile, count, of_panels,
                                        of_group, out.from(0, column), &far);
      });
      p += group;
    }
  });
}

/// The products over `rows`, at most a group, of some panels that fit into scratch; added or, if `from_zero`, stored.
/// The right operands are packed once for all left ones.
__attribute__((noinline)) inline void sum_group(Range rows, const LeftParts& a, const RightOperands& b, Range panels,
                                                bool from_zero, float* scratch) {
  float* const right = scratch;
  float* const left = scratch + kPackedRight;
  const bool brings = kTilesBringRows || a.bytes() > near_bytes();
  for (int64_t n = rows.begin; n < rows.end; n += kBlock) {
    const Range k{n, smaller(n + kBlock, rows.end)};
    b.for_each(panels,
               [&](const RightOperand& part, int64_t first) { pack_right(part, k, right + first * kPanel * kBlock); });
    for (int64_t operand = 0; operand < a.count; ++operand) {
      const LeftPart& part = a.data[operand];
      for (int64_t i = part.outputs.begin; i < part.outputs.end; i += kTransposedRows) {
        const Range block = part.block_from(i);
        pack_left_transposed(part.rows, k, block, left);
        part.sums.add(left, k.size(), block);
        multiply_packed(part, block, b, panels, k.size(), from_zero && n == rows.begin, left, right, brings,
                        kTilesBringRows ? a.packed_after(operand, block, k, rows) : each_the_next(left));
      }
    }
  }
}

/// The groups after the first, each summed apart and then added, a block of outputs at a time.
inline void add_groups_apart(int64_t rows, const LeftPart& a, const RightOperands& b, float* scratch) {
  float* const sums = scratch + kPackedOperands;
  const Range panels{0, a.panels.size()};
  RightOperands apart{{}, 0};
  b.for_each(a.panels, [&](const RightOperand& part, int64_t first) {
    apart.add({part.rows, part.columns, sums + first * kPanel, kTransposedColumns});
  });
  for (int64_t i = a.outputs.begin; i < a.outputs.end; i += kTransposedRows) {
    const Range block = a.block_from(i);
    const LeftParts part{{{a.rows, block, panels, -i, a.sums}}, 1};
    for (int64_t n = kGroup; n < rows; n += kGroup) {
      sum_group({n, smaller(n + kGroup, rows)}, part, apart, panels, true, scratch);
      b.for_each(a.panels, [&](const RightOperand& of_b, int64_t first) {
        add_sums(sums + first * kPanel, kTransposedColumns, block.size(),
                 Outputs{of_b.c, of_b.ldc, of_b.columns}.from(a.to + i, 0));
      });
    }
  }
}

/// Of all rows, the panels in scratch at a time.
inline void multiply_transposed_parts(int64_t rows, const LeftParts& a, const RightOperands& b, Range panels,
                                      float* scratch) {
  constexpr int64_t kPanelsAtOnce = kTransposedColumns / kPanel;
  for (int64_t p = panels.begin; p < panels.end; p += kPanelsAtOnce) {
    const Range some{p, smaller(p + kPanelsAtOnce, panels.end)};
    const LeftParts parts = a.of_panels(some);
    if (parts.count == 0) continue;
    sum_group({0, smaller(kGroup, rows)}, parts, b, some, false, scratch);
    for (int64_t i = 0; rows > kGroup && i < parts.count; ++i) add_groups_apart(rows, parts.data[i], b, scratch);
  }
}

/// With so few terms a sum is bound by reading and writing c, and packing would cost more than it saves.
constexpr int kFewTerms = 8;

/// The products of few rows, whose outer products are added to c in one pass.
template <int kRows>
void add_few_terms(const LeftOperand& a, const RightOperand& b, Range outputs) {
  const float* right[kRows];
#pragma GCC unroll 8
  for (int n = 0; n < kRows; ++n) right[n] = b.rows.row(n);
  for (int64_t i = outputs.begin; i < outputs.end; ++i) {
    float* const to = b.c + (a.to + i) * b.ldc;
    Vec left[kRows];
#pragma GCC unroll 8
    for (int n = 0; n < kRows; ++n) left[n] = broadcast(a.rows.row(n)[i]);
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

inline void multiply_few_rows(int64_t rows, const LeftOperand& a, const RightOperands& b, Parallel& pool) {
  constexpr int64_t kCostOfUpdate = 16;  // in the time that reading and writing an element takes
  const int64_t panels = b.panels_of(a.rights).size();
  if (panels == 0) return;
  parallel_ranges(pool, a.outputs, panels * kPanel * (2 * rows + kCostOfUpdate), [&](Range part) {
    with_constant<kFewTerms>(rows, [&]<int kRows>() {
      for (int64_t i = a.rights.begin; i < a.rights.end; ++i) add_few_terms<kRows>(a, b.data[i], part);
    });
  });
}

/// How products are divided. Packing costs less the larger a part is, so there are as many as threads, cut along the
/// longer side of c.
class TransposedSplit {
 public:
  int64_t parts;

  TransposedSplit(int64_t rows, const LeftOperands& a, const RightOperands& b, const Parallel& pool) : a_(a), b_(b) {
    int64_t output_panels = 0, tiles = 0;
    for (int64_t i = 0; i < a.count; ++i) {
      shifts_[i] = output_panels;
      output_panels += a.data[i].output_panels();
      tiles += a.data[i].output_panels() * b.panels_of(a.data[i].rights).size();
    }
    by_columns_ = b.panels() > output_panels;
    const int64_t longer = larger(larger(b.panels(), output_panels), 1);
    parts = smaller(pool.width(), tasks_for(pool, longer, 2 * kPanel * kPanel * rows * tiles / longer));
    int64_t room = kMostLanesFloats;
    for (int64_t i = 0; i < a.count; ++i) {
      const int64_t lanes = lanes_of(i);
      packs_sums_[i] =
          a.data[i].sums.wanted() && lanes <= room && rows > kFewTerms && b.panels_of(a.data[i].rights).size() > 0;
      if (packs_sums_[i]) room -= lanes;
    }
  }

  /// Whether the sums of an operand's columns are taken while these are packed: threads have room for so many lanes.
  bool packs_sums(int64_t operand) const { return packs_sums_[operand]; }

  /// Floats of a thread's lanes for the sums of an operand, at most.
  int64_t lanes_of(int64_t operand) const {
    const LeftOperand& left = a_.data[operand];
    return PackedSums::size(by_columns_ ? left.outputs : divide_up(left.output_panels(), parts) * kPanel);
  }

  Range panels_of(int64_t task) const {
    return by_columns_ ? part_of(b_.panels(), parts, task) : Range{0, b_.panels()};
  }

  /// Where parts are not equal, each operand's longer ones go to other tasks.
  Range outputs_of(int64_t operand, int64_t task) const {
    const LeftOperand& left = a_.data[operand];
    if (by_columns_) return {0, left.outputs};
    const Range part = part_of(left.output_panels(), parts, (task + shifts_[operand]) % parts);
    return {smaller(part.begin * kPanel, left.outputs), smaller(part.end * kPanel, left.outputs)};
  }

 private:
  const LeftOperands& a_;
  const RightOperands& b_;
  bool by_columns_;
  int64_t shifts_[kMostTogether];
  bool packs_sums_[kMostTogether];
};

/// For every left operand a and right operand b that belong together c += a^T b over n in [0, rows), row n of a with
/// row n of b; and the sums of a's columns. No two products may add to the same element of any c. Not inlined: every
/// cell calls it.
__attribute__((noinline)) inline void multiply_transposed(int64_t rows, const LeftOperands& a, const RightOperands& b,
                                                          Parallel& pool) {
  if (rows == 0) return;
  const TransposedSplit split(rows, a, b, pool);
  const bool few = rows <= kFewTerms;
  for (int64_t i = 0; i < a.count; ++i) {
    const LeftOperand& left = a.data[i];
    if (few) multiply_few_rows(rows, left, b, pool);
    if (!split.packs_sums(i)) add_column_sums(rows, left.outputs, left.rows, left.sums, pool);
  }
  if (few) return;
  parallel_for(pool, split.parts, [&](int64_t task, float* scratch) {
    const Range panels = split.panels_of(task);
    LeftParts parts{{}, 0};
    const LeftOperand* whole[kMostTogether];
    float* lanes = scratch + kLanesInScratch;
    for (int64_t i = 0; i < a.count; ++i) {
      const LeftOperand& left = a.data[i];
      const Range of_left = b.panels_of(left.rights), here = intersection(of_left, panels);
      const Range outputs = split.outputs_of(i, task);
      if (here.size() == 0 || outputs.size() == 0) continue;
      const bool sums_here = split.packs_sums(i) && here.begin == of_left.begin;
      const PackedSums sums{sums_here ? lanes : nullptr, outputs};
      sums.start();
      if (sums_here) lanes += split.lanes_of(i);
      whole[parts.count] = &left;
      parts.add({left.rows, outputs, here, left.to, sums});
    }
    multiply_transposed_parts(rows, parts, b, panels, scratch);
    for (int64_t i = 0; i < parts.count; ++i) parts.data[i].sums.finish(whole[i]->sums);
  });
}

inline void matmul_transposed(int64_t rows, int64_t outputs, int64_t columns, const float* a, int64_t lda,
                              const int32_t* a_index, const float* b, int64_t ldb, const int32_t* b_index, float* c,
                              int64_t ldc, float* sums, Parallel& pool) {
  multiply_transposed(rows, {{{{a, lda, a_index}, outputs, {0, 1}, 0, {{sums, nullptr}}}}, 1},
                      {{{{b, ldb, b_index}, columns, c, ldc}}, 1}, pool);
}

}  // namespace unroll::UNROLL_ISA
