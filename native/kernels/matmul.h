#pragma once

/// Matrix products for the three orientations of back-propagation: forward and input gradient (matmul over panels of
/// the weights, or over these as they are) and weight gradient (matmul_transposed, which packs both operands as it
/// goes).

#include "kernels/packed_left.h"
#include "kernels/panels.h"
#include "kernels/plain_weight.h"
#include "kernels/tile.h"
#include "kernels/tile_rows.h"

namespace unroll::UNROLL_ISA {

/// So many panels of weights beyond L2 pay for packing the rows that are multiplied by them, where a tile is of one
/// panel: it then reads a single stream, whose lines do not meet in one set of L1 as those of rows pages apart do.
constexpr int64_t kPanelsWorthPacking = 16;

/// Bytes of a left operand that stay in L1 from one group of panels to the next.
constexpr int64_t kNearRows = 16 * 1024;

/// The blocks of some panels that are read next, shared out among the tiles that come before: each brings in some lines
/// of the first half of the panels and as many of the second. Lines of panels beside each other are as those of panels
/// that follow one another.
inline FarTiles share_panels(const PanelBlock& next, int64_t panels, int64_t tiles) {
  constexpr uint32_t kLine = kPanel * sizeof(float);
  const int64_t stride = next.stride == kPanel ? next.length * kPanel : next.stride, half = divide_up(panels, 2);
  const uint32_t length = static_cast<uint32_t>(next.length);
  const uint32_t lines = static_cast<uint32_t>(half * next.length + tiles - 1) / static_cast<uint32_t>(tiles);
  return {next.data,
          stride,
          length,
          lines,
          static_cast<uint32_t>(half - 1),
          (panels - half) * stride * static_cast<int64_t>(sizeof(float)),
          lines * kLine / length};
}

/// The first group of k of a product of a single tile's rows: all of some panels, then of the next ones.
inline void multiply_tile(const Product& product, Range panel_range) {
  TileRows<kTileRows> rows(product);
  rows.take(product.rows.data[0].count);
  const Panels& right = product.right;
  const auto& by_panels = kTilesBySize<false, false>.of[rows.count() - 1];
  const int64_t end = smaller(kGroup, right.k_size()), most = panels_of_tile(static_cast<int>(rows.count()));
  for (Range rest = panel_range; rest.size() > 0;) {
    const Range group = right.take_tile(rest, most);
    const Outputs out = product.out.from(0, group.begin * kPanel);
    Start starts[kMostPanels];
    product.start.of_panels(group.begin, group.size(), starts);
    for (int64_t k = 0; k < end; k += kBlock) {
      if (k > 0) product.sums().of_panels(group.begin, group.size(), starts);
      rows.move_to(k);
      by_panels[group.size() - 1](rows.from(0), 0, 1, right.block(group.begin, {k, smaller(k + kBlock, end)}), starts,
                                  out, nullptr);
    }
  }
}

/// The next k_size elements of some rows, tile after tile.
inline void pack_left(const ChunkRows& rows, const RowTiles& tiles, int64_t k_size, float* packed) {
  static_assert(kRowChunk / kTileRows * kPackedTile <= kNearScratchFloats);
  tiles.for_each([&]<int kRows>(int64_t row, int64_t tile) {
    pack_tile<kRows>(rows.from(row), k_size, packed + tile * kPackedTile);
  });
}

/// One k block of a product for rows that stay in L2 and a range of panels; a group's block stays in L1, or of four
/// panels in L2, while all row tiles use it. `start` is what this block is added to. Of a far operand what is read next
/// is brought in meanwhile. `scratch` may be null.
inline void multiply_chunk(const Product& product, ChunkRows& rows, Range k, Range panel_range, const Starts& start,
                           float* scratch) {
  rows.move_to(k.begin);
  const RowTiles tiles(rows.count());
  const int64_t at_once = panels_of_tile(static_cast<int>(tiles.most_rows()));
  const bool packs =
      product.right.far && at_once == 1 && panel_range.size() >= kPanelsWorthPacking && scratch != nullptr;
  const bool near_rows = rows.count() * k.size() * static_cast<int64_t>(sizeof(float)) <= kNearRows;
  if (packs) pack_left(rows, tiles, k.size(), scratch);
  for (int64_t p = panel_range.begin; p < panel_range.end;) {
    const int64_t group = product.right.at_once(p, panel_range.end, at_once), column = p * kPanel;
    Start starts[kMostPanels];
    start.of_panels(p, group, starts);
    const PanelBlock block = product.right.block(p, k);
    p += group;
    FarTiles far;
    if (product.right.far) {
      far = share_panels(product.right.block_after({panel_range.begin, p}, panel_range.end, k), group, tiles.count);
    }
    tiles.for_each_height([&](int64_t height, int64_t row, int64_t tile, int64_t count) {
      const auto multiply = [&]<bool kPacked, bool kFar>(Left<kPacked> left, const FarTiles* brings) {
        kTilesBySize<kPacked, kFar>.of[height - 1][group - 1](left, tile, count, block, starts,
                                                              product.out.from(0, column), brings);
      };
      const Left<false> left = rows.from(row);
      if (packs) return multiply.template operator()<true, true>({scratch + tile * kPackedTile, left.to}, &far);
      if (product.right.far) return multiply.template operator()<false, true>(left, &far);
      multiply.template operator()<false, false>(left, near_rows ? nullptr : &far);
    });
  }
}

/// Calls body(k, start) for the blocks of the first group of k.
template <class Body>
UNROLL_INLINE void for_each_block(const Product& product, const Body& body) {
  const int64_t end = smaller(kGroup, product.right.k_size());
  for (int64_t k = 0; k < end; k += kBlock) {
    body(Range{k, smaller(k + kBlock, end)}, k == 0 ? product.start : product.sums());
  }
}

/// The first group of k of a product, in equal parts of its rows. Not inlined: a single tile has no use for so large a
/// frame.
__attribute__((noinline)) inline void multiply_chunks(const Product& product, Range panel_range, float* scratch) {
  const int64_t count = product.rows.rows();
  const int64_t most = count <= kRowChunk ? count : divide_up(count, divide_up(count, kRowChunk));
  ChunkRows rows(product);
  for (int64_t taken = 0; taken < count; taken += rows.count()) {
    rows.take(smaller(most, count - taken));
    for_each_block(
        product, [&](Range k, const Starts& start) { multiply_chunk(product, rows, k, panel_range, start, scratch); });
  }
}

/// out += sums, rows `stride` floats apart.
inline void add_sums(const float* sums, int64_t stride, int64_t rows, const Outputs& out) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < out.columns; c += kPanel) {
      const Outputs to = out.from(r, c);
      store_columns(to.data, load_columns(to.data, to.columns) + load(sums + r * stride + c), to.columns);
    }
  }
}

/// Adds the groups of k after the first, each summed apart, of some rows and panels at a time. Not inlined: of most
/// products there are none, and what it sums apart is on the stack.
__attribute__((noinline)) inline void add_later_groups(const Product& product, Range panel_range) {
  constexpr int64_t kRowsApart = 10 * kTileRows, kColumnsApart = kMostPanels * kPanel;
  alignas(64) float apart[kRowsApart * kColumnsApart];
  const Panels& right = product.right;
  const int64_t k_size = right.k_size();
  const auto add = [&](const RowRange& rows, int64_t to, Range panels) {
    const int64_t columns = panels.size() * kPanel;
    const Product part{
        product.left, right.from(panels.begin), {&rows, 1}, side_by_side(nullptr, 0, 0), {apart, columns, columns}};
    ChunkRows some(part);
    some.take(rows.count);
    Outputs out = product.out.from(to, panels.begin * kPanel);
    out.columns = smaller(out.columns, columns);
    for (int64_t group = kGroup; group < k_size; group += kGroup) {
      const int64_t end = smaller(group + kGroup, k_size);
      for (int64_t k = group; k < end; k += kBlock) {
        const Range block{k, smaller(k + kBlock, end)}, all{0, panels.size()};
        const Starts start = k == group ? part.start : part.sums();
        if (right.form != WeightForm::kPanels) {
          multiply_plain(part, block, all, start);
        } else {
          multiply_chunk(part, some, block, all, start, nullptr);
        }
      }
      add_sums(apart, columns, rows.count, out);
    }
  };
  product.rows.for_each([&](const RowRange& range) {
    for (int64_t row = 0; row < range.count; row += kRowsApart) {
      const RowRange rows{range.from + row, 0, smaller(kRowsApart, range.count - row)};
      for (int64_t p = panel_range.begin, next; p < panel_range.end; p = next) {
        next = p + right.at_once(p, panel_range.end, kMostPanels);
        add(rows, range.to + row, {p, next});
      }
    }
  });
}

/// A product over all of k, for rows and panels that are one thread's; `scratch`, which is that thread's, may be null.
/// Not inlined: every cell calls it.
__attribute__((noinline)) inline void multiply_panels(const Product& product, Range panel_range, float* scratch) {
  const bool few_rows = product.rows.count == 1 && product.rows.data[0].count <= kTileRows;
  if (product.right.form != WeightForm::kPanels) {
    for_each_block(product, [&](Range k, const Starts& start) { multiply_plain(product, k, panel_range, start); });
  } else if (few_rows) {
    multiply_tile(product, panel_range);
  } else {
    multiply_chunks(product, panel_range, scratch);
  }
  if (product.right.k_size() > kGroup) add_later_groups(product, panel_range);
}

/// Tasks of a product: row chunks times panel groups. Rows are divided first, because each task then reads the panels
/// once and writes its own rows; panels are divided as well when the rows do not give every thread work.
struct ProductSplit {
  int64_t row_parts, panel_parts;

  ProductSplit(const Parallel& pool, int64_t rows, int64_t k_size, int64_t panels) {
    const int64_t tasks = tasks_for(pool, rows * panels, 2 * kPanel * k_size);
    const int64_t whole_tiles = larger(1, rows / (2 * kTileRows));
    row_parts = larger(divide_up(rows, kRowChunk), smaller(tasks, whole_tiles));
    panel_parts = smaller(panels, divide_up(tasks, row_parts));
  }
};

/// Part `index` of `parts` of the panels of an operand.
UNROLL_INLINE Range panel_part(int64_t columns, int64_t parts, int64_t index) {
  return part_of(divide_up(columns, kPanel), parts, index);
}

/// A product on the threads of the pool. Not inlined: every cell calls it.
__attribute__((noinline)) inline void multiply(const Product& product, Parallel& pool) {
  const RowRanges& ranges = product.rows;
  const int64_t panel_count = divide_up(product.out.columns, kPanel);
  const int64_t rows = ranges.rows();
  if (rows == 0 || panel_count == 0) return;
  const ProductSplit split(pool, rows, product.right.k_size(), panel_count);
  // Only one range is cut by rows; there are several only where they are few rows together.
  const int64_t row_parts = ranges.count == 1 ? split.row_parts : 1;
  const int64_t panel_parts = ranges.count == 1 ? split.panel_parts : smaller(panel_count, pool.width());
  parallel_for(pool, row_parts * panel_parts, [&](int64_t task, float* scratch) {
    const Range panel_range = part_of(panel_count, panel_parts, task % panel_parts);
    if (row_parts == 1) return multiply_panels(product, panel_range, scratch);
    const RowRange& all = ranges.data[0];
    const Range part = part_of(all.count, row_parts, task / panel_parts);
    const RowRange range{all.from + part.begin, all.to + part.begin, part.size()};
    multiply_panels({product.left, product.right, {&range, 1}, product.start, product.out}, panel_range, scratch);
  });
}

inline void matmul(int64_t rows, int64_t k_size, int64_t columns, const float* a, int64_t lda, const float* w,
                   WeightForm form, const float* bias, bool accumulate, float* c, int64_t ldc, Parallel& pool) {
  const RowRange all{0, 0, rows};
  const Starts start = accumulate ? side_by_side(c, ldc, columns) : side_by_side(bias, 0, columns);
  const Panels right =
      form == WeightForm::kPanels ? all_panels(w, k_size, columns, 1) : plain_panels(w, k_size, columns, 1, form);
  multiply({{a, lda}, right, {&all, 1}, start, {c, ldc, columns}}, pool);
}

}  // namespace unroll::UNROLL_ISA
