#pragma once

/// Matrix products for the three orientations of back-propagation: forward and input gradient (matmul over panels of
/// the weights, packed plain or transposed) and weight gradient (matmul_transposed, which packs both operands as it
/// goes).

#include "kernels/split.h"
#include "kernels/tile.h"

namespace unroll::UNROLL_ISA {

/// Rows of `a` that one pass over the panels uses: with a k block of 256 they take 192 KiB, less than half of a 512 KiB
/// L2.
constexpr int64_t kRowChunk = 192;

/// Panel p, row k, column j: the element (k, 16 p + j) of the right operand; columns past the last are zero.
/// `w` is [columns][k_size] with row stride ldw if `transposed` (a weight [out][in], used forward), else
/// [k_size][columns]. With groups > 1 the columns are that many gates, one after the other in `w`; their panels are
/// interleaved, so that panel u * groups + g holds gate g of the units 16 u .. 16 u + 15.
inline void pack_panels(const float* w, int64_t ldw, int64_t k_size, int64_t columns, int64_t groups, bool transposed,
                        float* panels, Parallel& pool) {
  const int64_t group_columns = columns / groups;
  parallel_ranges(pool, groups * divide_up(group_columns, kPanel), 16 * k_size, [&](Range part) {
    for (int64_t p = part.begin; p < part.end; ++p) {
      float* panel = panels + p * kPanel * k_size;
      const int64_t in_group = p / groups * kPanel;
      const int64_t first = p % groups * group_columns + in_group;
      const int64_t width = smaller(kPanel, group_columns - in_group);
      for (int64_t k = 0; k < k_size; ++k) {
        for (int64_t j = 0; j < width; ++j) {
          panel[k * kPanel + j] = transposed ? w[(first + j) * ldw + k] : w[k * ldw + first + j];
        }
        for (int64_t j = width; j < kPanel; ++j) panel[k * kPanel + j] = 0.0f;
      }
    }
  });
}

/// Panels of more bytes than this do not stay in L2 beside what else is there: tiles bring in the next panel. Not a
/// single tile, which reads as fast as the hardware prefetches.
constexpr int64_t kPrefetchedBytes = 256 * 1024;

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

/// One k block of c = start + a * panels for rows of a single tile: nothing but the panels to go through.
template <int kRows>
void multiply_tile(const float* a, int64_t lda, const float* panels, int64_t panel_stride, int64_t length,
                   Range panel_range, Start start, float* c, int64_t ldc, int64_t columns) {
  constexpr int kPanels = panels_of_tile(kRows);
  const auto multiply = [&]<int kCount>(int64_t p) {
    const int64_t column = p * kPanel;
    const Start from{start.data == nullptr ? nullptr : start.data + column, start.stride};
    multiply_block_into<kRows, kCount>(Left<false>{a, lda}, panels + p * panel_stride, panel_stride, length, from,
                                       c + column, ldc, columns - column, NoPrefetch{});
  };
  int64_t p = panel_range.begin;
  for (; p + kPanels <= panel_range.end; p += kPanels) multiply.template operator()<kPanels>(p);
  if (p == panel_range.end) return;
  with_constant<kPanels>(panel_range.end - p, [&]<int kCount>() { multiply.template operator()<kCount>(p); });
}

/// One k block of c = start + a * panels for rows that stay in L2 and a range of panels; each panel's block stays in L1
/// while all row tiles use it. `after`, unless null, follows the last panel, and is brought in meanwhile.
inline void multiply_chunk(const float* a, int64_t lda, const float* panels, int64_t panel_stride, Range k,
                           Range panel_range, const float* after, const RowRanges& ranges, Start start, float* c,
                           int64_t ldc, int64_t columns) {
  const int64_t tile_count = ranges.tiles();
  if (tile_count == 1) {
    const RowRange& rows = ranges.data[0];
    return with_constant<kTileRows>(rows.count, [&]<int kRows>() {
      const Start from{start.data == nullptr ? nullptr : start.data + rows.to * start.stride, start.stride};
      multiply_tile<kRows>(a + rows.from * lda + k.begin, lda, panels + k.begin * kPanel, panel_stride, k.size(),
                           panel_range, from, c + rows.to * ldc, ldc, columns);
    });
  }
  const int64_t at_once = panels_of_tile(static_cast<int>(ranges.most_rows_of_tile()));
  const bool prefetches = after != nullptr;
  const PrefetchShare share(k.size(), tile_count);
  for (int64_t p = panel_range.begin; p < panel_range.end;) {
    const int64_t group = smaller(at_once, panel_range.end - p), column = p * kPanel;
    const float* const block = panels + p * panel_stride + k.begin * kPanel;
    const float* const next = p + group < panel_range.end ? block + group * panel_stride : after;
    int64_t tile = 0;
    const auto multiply = [&]<int kRows, int kPanels>(int64_t from_row, int64_t to_row) {
      const Left<false> left{a + from_row * lda + k.begin, lda};
      const Start from{start.data == nullptr ? nullptr : start.data + to_row * start.stride + column, start.stride};
      float* const to = c + to_row * ldc + column;
      if (!prefetches) {
        multiply_block_into<kRows, kPanels>(left, block, panel_stride, k.size(), from, to, ldc, columns - column,
                                            NoPrefetch{});
      } else {
        multiply_block_into<kRows, kPanels>(left, block, panel_stride, k.size(), from, to, ldc, columns - column,
                                            share.of_tile(next, tile++));
      }
    };
    with_constant<kMostPanels>(group, [&]<int kPanels>() {
      ranges.for_each([&](const RowRange& range) {
        RowTiles(range.count).for_each([&]<int kRows>(int64_t row, int64_t) {
          if constexpr (kPanels <= panels_of_tile(kRows)) {
            multiply.template operator()<kRows, kPanels>(range.from + row, range.to + row);
          }
        });
      });
    });
    p += group;
  }
}

/// Panels of a right operand [k_size][...], `stride` floats apart.
struct Panels {
  const float* data;
  int64_t stride, k_size;
  bool prefetched;
};

/// All panels of an operand, one after the other.
inline Panels all_panels(const float* data, int64_t k_size, int64_t columns) {
  return {data, kPanel * k_size, k_size, k_size * columns * static_cast<int64_t>(sizeof(float)) > kPrefetchedBytes};
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
          const bool first = k % kGroup == 0;
          const int64_t length = smaller(kBlock, panels.k_size - k);
          multiply_block_into<kRows, kPanels>(Left<false>{left + k, lda}, panel + k * kPanel, panels.stride, length,
                                              {first ? nullptr : tile, kPanel}, tile, kPanel, kPanel, NoPrefetch{});
          if ((k + length) % kGroup == 0 || k + length == panels.k_size) {
            add_tile<kRows, kPanels>(tile, to, ldc, width);
          }
        }
      });
    });
  }
}

/// c = start + a * panels over all of k, for rows and panels that are one thread's; start may be c.
inline void multiply_panels(const float* a, int64_t lda, const Panels& panels, Range panel_range,
                            const RowRanges& ranges, Start start, float* c, int64_t ldc, int64_t columns) {
  const int64_t end = smaller(kGroup, panels.k_size);
  for (int64_t k = 0; k < end; k += kBlock) {
    const Range block{k, smaller(k + kBlock, end)};
    const float* const after = panels.data + panel_range.begin * panels.stride + block.end % panels.k_size * kPanel;
    multiply_chunk(a, lda, panels.data, panels.stride, block, panel_range, panels.prefetched ? after : nullptr, ranges,
                   k == 0 ? start : Start{c, ldc}, c, ldc, columns);
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
inline void multiply_ranges(const float* a, int64_t lda, const Panels& panels, const RowRanges& ranges, Start start,
                            float* c, int64_t ldc, int64_t columns, Parallel& pool) {
  const int64_t panel_count = divide_up(columns, kPanel);
  int64_t rows = 0;
  ranges.for_each([&](const RowRange& range) { rows += range.count; });
  if (rows == 0 || columns == 0) return;
  const ProductSplit split(pool, rows, panels.k_size, panel_count);
  // Only one range is cut by rows; there are several only where they are few rows together.
  const int64_t row_parts = ranges.count == 1 ? split.row_parts : 1;
  const int64_t panel_parts = ranges.count == 1 ? split.panel_parts : smaller(panel_count, pool.width());
  parallel_for(pool, row_parts * panel_parts, [&](int64_t task, float*) {
    const Range panel_range = part_of(panel_count, panel_parts, task % panel_parts);
    if (row_parts == 1) return multiply_panels(a, lda, panels, panel_range, ranges, start, c, ldc, columns);
    const RowRange& all = ranges.data[0];
    const Range part = part_of(all.count, row_parts, task / panel_parts);
    const RowRange range{all.from + part.begin, all.to + part.begin, part.size()};
    multiply_panels(a, lda, panels, panel_range, {&range, 1}, start, c, ldc, columns);
  });
}

inline void matmul(int64_t rows, int64_t k_size, int64_t columns, const float* a, int64_t lda, const float* panels,
                   const float* bias, bool accumulate, float* c, int64_t ldc, Parallel& pool) {
  const RowRange all{0, 0, rows};
  multiply_ranges(a, lda, all_panels(panels, k_size, columns), {&all, 1}, accumulate ? Start{c, ldc} : Start{bias, 0},
                  c, ldc, columns, pool);
}

/// Tile of both packed operands of matmul_transposed: 96 x 256 and 256 x 256 floats, 352 KiB of scratch in L2.
constexpr int64_t kTransposedRows = 96;
constexpr int64_t kTransposedColumns = 256;

/// The rows of a matrix that a sum takes, in its order: those that `index` names, or all in theirs.
struct Rows {
  const float* data;
  int64_t stride;
  const int32_t* index;

  UNROLL_INLINE const float* row(int64_t n) const { return data + (index == nullptr ? n : index[n]) * stride; }
};

/// Rows of a sum are fetched so many ahead: the processor foresees what follows in a row, not where the next begins.
constexpr int64_t kSummedAhead = 16;

inline void fetch_row(const Rows& rows, int64_t n, Range columns) {
  const float* const row = rows.row(n);
  for (int64_t i = columns.begin; i < columns.end; i += kPanel) __builtin_prefetch(row + i);
}

/// From one packed tile to the next: a line more than its elements, for else the tiles, which are written side by side,
/// would meet in one set of the cache.
constexpr int64_t kPackedTile = kBlock * kTileRows + 16;

template <int kCount>
UNROLL_INLINE void copy_exactly(const float* from, float* to) {
  __builtin_memcpy(to, from, kCount * sizeof(float));
}

/// Tiles of kTileRows outputs: element (k, r) of tile i at [i][k][r], so that a tile reads one contiguous stream.
inline void pack_left_transposed(const Rows& a, Range k, Range outputs, float* packed) {
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

/// Panels of 16 columns of rows k of b.
inline void pack_right(const Rows& b, Range k, Range columns, float* packed) {
  for (int64_t n = k.begin; n < k.end; ++n) {
    const float* from = b.row(n);
    float* to = packed + (n - k.begin) * kPanel;
    for (int64_t j = columns.begin; j < columns.end; j += kPanel, to += kBlock * kPanel) {
      store(to, load_columns(from + j, columns.end - j));
    }
  }
}

/// Scratch of packed operands: the right one, then the left one.
constexpr int64_t kPackedRight = kBlock * kTransposedColumns;
constexpr int64_t kPackedOperands = kPackedRight + (kTransposedRows / kTileRows + 1) * kPackedTile;
static_assert(kPackedOperands + kTransposedRows * kTransposedColumns <= kScratchFloats);

/// c[i][j] += sum over n of a[n][i] * b[n][j] for n in `rows`, at most a group, or = if `from_zero`; c is at the first
/// of the outputs and columns.
inline void sum_group(Range rows, const Rows& a, const Rows& b, Range outputs, Range columns, bool from_zero, float* c,
                      int64_t ldc, float* scratch) {
  float* const right = scratch;
  float* const left = scratch + kPackedRight;
  for (int64_t n = rows.begin; n < rows.end; n += kBlock) {
    const Range k{n, smaller(n + kBlock, rows.end)};
    const bool starts = from_zero && n == rows.begin;
    pack_right(b, k, columns, right);
    for (int64_t i = outputs.begin; i < outputs.end; i += kTransposedRows) {
      const Range output_block{i, smaller(i + kTransposedRows, outputs.end)};
      pack_left_transposed(a, k, output_block, left);
      for (int64_t p = 0; p < columns.size(); p += kPanel) {
        RowTiles(output_block.size()).for_each([&]<int kRows>(int64_t row, int64_t tile) {
          float* const out = c + (i - outputs.begin + row) * ldc + p;
          const float* const panel = right + p * kBlock;
          multiply_block_into<kRows, 1>(Left<true>{left + tile * kPackedTile, 0}, panel, 0, k.size(),
                                        {starts ? nullptr : out, ldc}, out, ldc, columns.size() - p, NoPrefetch{});
        });
      }
    }
  }
}

/// c[i][j] += sum over n of a[n][i] * b[n][j] for one rectangle of c. The groups after the first are summed apart.
inline void multiply_transposed_part(int64_t rows, const Rows& a, const Rows& b, Range outputs, Range columns, float* c,
                                     int64_t ldc, float* scratch) {
  float* const apart = scratch + kPackedOperands;
  for (int64_t j = columns.begin; j < columns.end; j += kTransposedColumns) {
    const Range column_block{j, smaller(j + kTransposedColumns, columns.end)};
    sum_group({0, smaller(kGroup, rows)}, a, b, outputs, column_block, false, c + outputs.begin * ldc + j, ldc,
              scratch);
    for (int64_t i = outputs.begin; rows > kGroup && i < outputs.end; i += kTransposedRows) {
      const Range output_block{i, smaller(i + kTransposedRows, outputs.end)};
      for (int64_t n = kGroup; n < rows; n += kGroup) {
        sum_group({n, smaller(n + kGroup, rows)}, a, b, output_block, column_block, true, apart, kTransposedColumns,
                  scratch);
        for (int64_t r = 0; r < output_block.size(); ++r) {
          for (int64_t p = 0; p < column_block.size(); p += kPanel) {
            add_tile<1, 1>(apart + r * kTransposedColumns + p, c + (i + r) * ldc + j + p, ldc, column_block.size() - p);
          }
        }
      }
    }
  }
}

/// With so few terms a sum is bound by reading and writing c, and packing would cost more than it saves.
constexpr int kFewTerms = 8;

/// The same for few rows, whose outer products are added to c in one pass.
template <int kRows>
void add_few_terms(const Rows& a, const Rows& b, Range outputs, int64_t columns, float* c, int64_t ldc) {
  const float* right[kRows];
#pragma GCC unroll 8
  for (int n = 0; n < kRows; ++n) right[n] = b.row(n);
  for (int64_t i = outputs.begin; i < outputs.end; ++i) {
    float* const to = c + i * ldc;
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
    for (; j + kPanel <= columns; j += kPanel) add(j, kPanel);
    if (j < columns) add(j, columns - j);
  }
}

inline void matmul_transposed(int64_t rows, int64_t outputs, int64_t columns, const float* a, int64_t lda,
                              const int32_t* a_index, const float* b, int64_t ldb, const int32_t* b_index, float* c,
                              int64_t ldc, Parallel& pool) {
  if (rows == 0 || outputs == 0 || columns == 0) return;
  if (rows <= kFewTerms) {
    constexpr int64_t kCostOfUpdate = 16;  // in the time that reading and writing an element takes
    return parallel_ranges(pool, outputs, columns * (2 * rows + kCostOfUpdate), [&](Range part) {
      with_constant<kFewTerms>(rows, [&]<int kRows>() {
        add_few_terms<kRows>({a, lda, a_index}, {b, ldb, b_index}, part, columns, c, ldc);
      });
    });
  }
  // Packing costs less the larger a part is, so there are as many as threads, cut along the longer side of c.
  const int64_t parts = smaller(pool.width(), tasks_for(pool, divide_up(larger(outputs, columns), kPanel),
                                                        2 * kPanel * rows * smaller(outputs, columns)));
  const bool by_columns = columns > outputs;
  parallel_for(pool, parts, [&](int64_t task, float* scratch) {
    const Range part = part_of(divide_up(by_columns ? columns : outputs, kPanel), parts, task);
    const Range cut{part.begin * kPanel, smaller(part.end * kPanel, by_columns ? columns : outputs)};
    multiply_transposed_part(rows, {a, lda, a_index}, {b, ldb, b_index}, by_columns ? Range{0, outputs} : cut,
                             by_columns ? cut : Range{0, columns}, c, ldc, scratch);
  });
}

/// Arrays of sums to which the same columns are added; may be null.
struct SumsOfColumns {
  float* arrays[2];

  UNROLL_INLINE void add(int64_t column, Vec sum, int64_t width) const {
    for (float* const sums : arrays) {
      if (sums == nullptr) continue;
      store_columns(sums + column, load_columns(sums + column, width) + sum, width);
    }
  }
};

/// sums[j] += the sum over rows of term(row, first column, columns, lane), which adds a row's 16 columns to a lane:
/// lane l takes rows l, l + 16, ...; then the tree of sum() over the 16 lanes. Some panels are summed side by side,
/// some rows at a time, so that of a row whole lines are read.
template <class Term>
void sum_columns(int64_t rows, int64_t columns, const SumsOfColumns& sums, Parallel& pool, const Term& term) {
  constexpr int64_t kBeside = 4, kRowsAtOnce = 4 * kLanes;
  parallel_ranges(pool, divide_up(columns, kPanel * kBeside), 2 * kPanel * kBeside * rows, [&](Range part) {
    for (int64_t group = part.begin; group < part.end; ++group) {
      const int64_t first = group * kBeside * kPanel, panels = smaller(kBeside, divide_up(columns - first, kPanel));
      alignas(64) float lanes[kBeside][kLanes][kPanel] = {};
      for (int64_t begin = 0; begin < rows; begin += kRowsAtOnce) {
        const int64_t end = smaller(begin + kRowsAtOnce, rows);
        for (int64_t p = 0; p < panels; ++p) {
          const int64_t column = first + p * kPanel;
          for (int64_t l = 0; l < smaller(kLanes, end - begin); ++l) {
            Vec lane = load(lanes[p][l]);
            for (int64_t n = begin + l; n < end; n += kLanes) lane = term(n, column, columns - column, lane);
            store(lanes[p][l], lane);
          }
        }
      }
      for (int64_t p = 0; p < panels; ++p) {
        const int64_t column = first + p * kPanel;
        for (int half = kLanes / 2; half > 0; half /= 2) {
          for (int l = 0; l < half; ++l) store(lanes[p][l], load(lanes[p][l]) + load(lanes[p][l + half]));
        }
        sums.add(column, load(lanes[p][0]), columns - column);
      }
    }
  });
}

/// sums[j] += sum over n of a[n][j].
inline void add_column_sums(int64_t rows, int64_t columns, const Rows& a, const SumsOfColumns& sums, Parallel& pool) {
  sum_columns(rows, columns, sums, pool, [&](int64_t n, int64_t first, int64_t width, Vec lane) {
    return lane + load_columns(a.row(n) + first, width);
  });
}

inline void column_sums(int64_t rows, int64_t columns, const float* a, int64_t lda, const int32_t* index, float* sums,
                        Parallel& pool) {
  add_column_sums(rows, columns, {a, lda, index}, {{sums, nullptr}}, pool);
}

/// sums[j] += sum over n of a[n][j] * b[n][j].
inline void column_products(int64_t rows, int64_t columns, const Rows& a, const Rows& b, float* sums, Parallel& pool) {
  sum_columns(rows, columns, {{sums, nullptr}}, pool, [=](int64_t n, int64_t first, int64_t width, Vec lane) {
    return fma(load_columns(a.row(n) + first, width), load_columns(b.row(n) + first, width), lane);
  });
}

}  // namespace unroll::UNROLL_ISA
