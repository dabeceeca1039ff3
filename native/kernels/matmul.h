#pragma once

/// Matrix products for the three orientations of back-propagation: forward and input gradient (matmul over panels of
/// the weights, packed plain or transposed) and weight gradient (matmul_transposed, which packs both operands as it
/// goes).

#include "kernels/near_cache.h"
#include "kernels/packed_left.h"
#include "kernels/panels.h"
#include "kernels/split.h"
#include "kernels/tile.h"

namespace unroll::UNROLL_ISA {

/// Rows of `a` that one pass over the panels uses: with a k block of 256 they take 192 KiB, less than half of a 512 KiB
/// L2.
constexpr int64_t kRowChunk = 192;

/// So many panels of weights beyond L2 pay for packing the rows that are multiplied by them, where a tile is of one
/// panel: it then reads a single stream, whose lines do not meet in one set of L1 as those of rows pages apart do.
constexpr int64_t kPanelsWorthPacking = 16;

/// Neighbouring rows of a product: rows `from` of the left operand give rows `to` of the result.
struct RowRange {
  int64_t from, to, count;

  UNROLL_INLINE bool precedes(const RowRange& next) const { return next.from == from + count && next.to == to + count; }
};

/// Row ranges that share one pass over the panels.
struct RowRanges {
  const RowRange* data;
  int64_t count;

  template <class Body>
  UNROLL_INLINE void for_each(const Body& body) const {
    for (int64_t i = 0; i < count; ++i) body(data[i]);
  }
  int64_t most_rows_of_tile() const {
    int64_t most = 0;
    for_each([&](const RowRange& range) { most = larger(most, RowTiles(range.count).most_rows()); });
    return most;
  }
  int64_t tiles() const {
    int64_t total = 0;
    for_each([&](const RowRange& range) { total += RowTiles(range.count).count; });
    return total;
  }
};

/// Start values of a product's outputs.
struct Starts {
  const float* data;  ///< of all panels side by side: rows of a matrix, one row for all (stride 0), or nothing (null)
  int64_t stride, columns;
  const Start* each;  ///< or, unless null, one for each panel

  /// Of a group of panels, for its tiles.
  UNROLL_INLINE void of_panels(int64_t first, int64_t count, Start* starts) const {
    for (int64_t i = 0; i < count; ++i) {
      const int64_t column = (first + i) * kPanel;
      starts[i] = each != nullptr
                      ? each[first + i]
                      : start_or_nothing(data == nullptr ? nullptr : data + column, stride, columns - column);
    }
  }
};

inline Starts side_by_side(const float* data, int64_t stride, int64_t columns) {
  return {data, stride, columns, nullptr};
}

/// How many of the panels that are left make the next group: the last two groups are about equal, for a tile of a
/// single panel has too few independent sums.
UNROLL_INLINE int64_t next_group(int64_t left, int64_t most) {
  return left >= 2 * most ? most : left > most ? divide_up(left, 2) : left;
}

/// The blocks of some panels that are read next, shared out among the tiles that come before: each brings in some lines
/// of the first half of the panels and as many of the second.
class PanelShares {
 public:
  PanelShares(const float* blocks, int64_t stride, int64_t length, int64_t panels, int64_t tiles)
      : blocks_(blocks), stride_(stride), length_(length) {
    constexpr uint32_t kLine = kPanel * sizeof(float);
    const int64_t half = divide_up(panels, 2);
    apart_ = (panels - half) * stride * static_cast<int64_t>(sizeof(float));
    lines_ = static_cast<uint32_t>(half * length + tiles - 1) / static_cast<uint32_t>(tiles);
    step_ = static_cast<uint32_t>(lines_) * kLine / static_cast<uint32_t>(length);
  }

  UNROLL_INLINE Far of_tile(int64_t tile) const {
    const int64_t line = tile * lines_, panel = static_cast<uint32_t>(line) / static_cast<uint32_t>(length_);
    return {blocks_ + panel * stride_ + (line - panel * length_) * kPanel, apart_, step_};
  }

 private:
  const float* blocks_;
  int64_t stride_, length_;
  int64_t apart_, lines_, step_;
};

/// One k block of the rows of all ranges, tile after tile.
inline void pack_ranges(const float* a, int64_t lda, int64_t k_size, const RowRanges& ranges, float* packed) {
  ranges.for_each([&](const RowRange& range) {
    RowTiles(range.count).for_each([&]<int kRows>(int64_t row, int64_t) {
      pack_tile<kRows>(a + (range.from + row) * lda, lda, k_size, packed);
      packed += kPackedTile;
    });
  });
}

/// One k block of c = start + a * panels for rows of a single tile: nothing but the panels to go through.
template <int kRows>
void multiply_tile(const float* a, int64_t lda, const float* panels, int64_t panel_stride, int64_t length,
                   Range panel_range, const Starts& start, int64_t row, float* c, int64_t ldc, int64_t columns) {
  constexpr int kMost = panels_of_tile(kRows);
  for (int64_t p = panel_range.begin; p < panel_range.end;) {
    const int64_t group = next_group(panel_range.end - p, kMost);
    with_constant<kMost>(group, [&]<int kPanels>() {
      Start starts[kPanels];
      start.of_panels(p, kPanels, starts);
      multiply_block_into<kRows, kPanels>(Left<false>{a, lda}, panels + p * panel_stride, panel_stride, length, starts,
                                          row, c + p * kPanel, ldc, columns - p * kPanel, Near{});
    });
    p += group;
  }
}

/// One k block of c = start + a * panels for rows that stay in L2 and a range of panels; a group's block stays in L1,
/// or of four panels in L2, while all row tiles use it. `after`, unless null, follows the last panel, and is brought in
/// meanwhile. `scratch` may be null.
inline void multiply_chunk(const float* a, int64_t lda, const float* panels, int64_t panel_stride, Range k,
                           Range panel_range, const float* after, const RowRanges& ranges, const Starts& start,
                           float* c, int64_t ldc, int64_t columns, float* scratch) {
  const int64_t tile_count = ranges.tiles();
  if (tile_count == 1) {
    const RowRange& rows = ranges.data[0];
    return with_constant<kTileRows>(rows.count, [&]<int kRows>() {
      multiply_tile<kRows>(a + rows.from * lda + k.begin, lda, panels + k.begin * kPanel, panel_stride, k.size(),
                           panel_range, start, rows.to, c + rows.to * ldc, ldc, columns);
    });
  }
  const int64_t at_once = panels_of_tile(static_cast<int>(ranges.most_rows_of_tile()));
  const bool packs = after != nullptr && at_once == 1 && panel_range.size() >= kPanelsWorthPacking &&
                     scratch != nullptr && tile_count * kPackedTile <= kScratchFloats;
  if (packs) pack_ranges(a + k.begin, lda, k.size(), ranges, scratch);
  for (int64_t p = panel_range.begin; p < panel_range.end;) {
    const int64_t group = next_group(panel_range.end - p, at_once), column = p * kPanel;
    Start starts[kMostPanels];
    start.of_panels(p, group, starts);
    const float* const block = panels + p * panel_stride + k.begin * kPanel;
    const auto multiply = [&](const auto& place_of_tile) {
      int64_t tile = 0;
      with_constant<kMostPanels>(group, [&]<int kPanels>() {
        ranges.for_each([&](const RowRange& range) {
          RowTiles(range.count).for_each([&]<int kRows>(int64_t row, int64_t) {
            if constexpr (kPanels <= panels_of_tile(kRows)) {
              const int64_t index = tile++;
              const auto place = place_of_tile(index);
              using Place = std::remove_const_t<decltype(place)>;
              const auto multiply_by = [&](const auto& left) {
                const int64_t to = range.to + row;
                multiply_block_into<kRows, kPanels>(left, block, panel_stride, k.size(), starts, to,
                                                    c + to * ldc + column, ldc, columns - column,
                                                    PlaceOfTile<kRows, Place>(place));
              };
              if constexpr (kPanels == 1 && std::is_same_v<Place, Far>) {
                if (packs) return multiply_by(Left<true>{scratch + index * kPackedTile, 0});
              }
              multiply_by(Left<false>{a + (range.from + row) * lda + k.begin, lda});
            }
          });
        });
      });
    };
    p += group;
    if (after == nullptr) {
      multiply([](int64_t) { return Near{}; });
    } else {
      const float* const next = p < panel_range.end ? block + group * panel_stride : after;
      const PanelShares shares(next, panel_stride, k.size(), group, tile_count);
      multiply([&](int64_t tile) { return shares.of_tile(tile); });
    }
  }
}

/// Panels of a right operand [k_size][...], `stride` floats apart.
struct Panels {
  const float* data;
  int64_t stride, k_size;
  bool far;
  const float* next = nullptr;  ///< what is read after a product; null if the same panels are read again
};

/// All panels of an operand, one after the other.
inline Panels all_panels(const float* data, int64_t k_size, int64_t columns) {
  return {data, kPanel * k_size, k_size, k_size * columns * static_cast<int64_t>(sizeof(float)) > near_bytes()};
}

/// out += tile, the first `columns` columns.
template <int kRows, int kPanels>
UNROLL_INLINE void add_tile(const float* tile, float* out, int64_t out_stride, int64_t columns) {
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kPanels; ++p) {
      const int64_t left = columns - p * kPanel;
      float* const to = out + r * out_stride + p * kPanel;
      store_columns(to, load_columns(to, left) + load(tile + (r * kPanels + p) * kPanel), left);
    }
  }
}

/// Adds the groups of k after the first, a tile at a time: each group is summed apart.
inline void add_later_groups(const float* a, int64_t lda, const Panels& panels, Range panel_range,
                             const RowRanges& ranges, float* c, int64_t ldc, int64_t columns) {
  constexpr int kPanels = 1;
  for (int64_t p = panel_range.begin; p < panel_range.end; ++p) {
    const float* const panel = panels.data + p * panels.stride;
    const int64_t width = columns - p * kPanel;
    ranges.for_each([&](const RowRange& range) {
      RowTiles(range.count).for_each([&]<int kRows>(int64_t row, int64_t) {
        const float* const left = a + (range.from + row) * lda;
        float* const to = c + (range.to + row) * ldc + p * kPanel;
        alignas(64) float tile[kRows * kPanel];
        for (int64_t k = kGroup; k < panels.k_size; k += kBlock) {
          const Start start = start_or_nothing(k % kGroup == 0 ? nullptr : tile, kPanel, kPanel);
          const int64_t length = smaller(kBlock, panels.k_size - k);
          multiply_block_into<kRows, kPanels>(Left<false>{left + k, lda}, panel + k * kPanel, panels.stride, length,
                                              &start, 0, tile, kPanel, kPanel, Near{});
          if ((k + length) % kGroup == 0 || k + length == panels.k_size) {
            add_tile<kRows, kPanels>(tile, to, ldc, width);
          }
        }
      });
    });
  }
}

/// c = start + a * panels over all of k, for rows and panels that are one thread's; start may be c, and `scratch`,
/// which is that thread's, null.
inline void multiply_panels(const float* a, int64_t lda, const Panels& panels, Range panel_range,
                            const RowRanges& ranges, const Starts& start, float* c, int64_t ldc, int64_t columns,
                            float* scratch) {
  const int64_t end = smaller(kGroup, panels.k_size);
  for (int64_t k = 0; k < end; k += kBlock) {
    const Range block{k, smaller(k + kBlock, end)};
    const float* after = panels.data + panel_range.begin * panels.stride + block.end * kPanel;
    if (block.end == panels.k_size) after = panels.next != nullptr ? panels.next : after - block.end * kPanel;
    multiply_chunk(a, lda, panels.data, panels.stride, block, panel_range, panels.far ? after : nullptr, ranges,
                   k == 0 ? start : side_by_side(c, ldc, columns), c, ldc, columns, scratch);
  }
  if (panels.k_size > kGroup) add_later_groups(a, lda, panels, panel_range, ranges, c, ldc, columns);
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

/// c = start + a * panels for all rows of the ranges, on the threads of the pool.
inline void multiply_ranges(const float* a, int64_t lda, const Panels& panels, const RowRanges& ranges,
                            const Starts& start, float* c, int64_t ldc, int64_t columns, Parallel& pool) {
  const int64_t panel_count = divide_up(columns, kPanel);
  int64_t rows = 0;
  ranges.for_each([&](const RowRange& range) { rows += range.count; });
  if (rows == 0 || columns == 0) return;
  const ProductSplit split(pool, rows, panels.k_size, panel_count);
  // Only one range is cut by rows; there are several only where they are few rows together.
  const int64_t row_parts = ranges.count == 1 ? split.row_parts : 1;
  const int64_t panel_parts = ranges.count == 1 ? split.panel_parts : smaller(panel_count, pool.width());
  parallel_for(pool, row_parts * panel_parts, [&](int64_t task, float* scratch) {
    const Range panel_range = part_of(panel_count, panel_parts, task % panel_parts);
    if (row_parts == 1) return multiply_panels(a, lda, panels, panel_range, ranges, start, c, ldc, columns, scratch);
    const RowRange& all = ranges.data[0];
    const Range part = part_of(all.count, row_parts, task / panel_parts);
    const RowRange range{all.from + part.begin, all.to + part.begin, part.size()};
    multiply_panels(a, lda, panels, panel_range, {&range, 1}, start, c, ldc, columns, scratch);
  });
}

inline void matmul(int64_t rows, int64_t k_size, int64_t columns, const float* a, int64_t lda, const float* panels,
                   const float* bias, bool accumulate, float* c, int64_t ldc, Parallel& pool) {
  const RowRange all{0, 0, rows};
  const Starts start = accumulate ? side_by_side(c, ldc, columns) : side_by_side(bias, 0, columns);
  multiply_ranges(a, lda, all_panels(panels, k_size, columns), {&all, 1}, start, c, ldc, columns, pool);
}

}  // namespace unroll::UNROLL_ISA
