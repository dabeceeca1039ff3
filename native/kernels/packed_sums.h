#pragma once

/// Sums over the rows of a left operand, the bias gradients, from the tiles that its product packs anyway: they are in
/// a near cache then, and to read the rows once more would take a fortieth of a training step.

#include "kernels/column_sums.h"
#include "kernels/copy.h"
#include "kernels/packed_left.h"

namespace unroll::UNROLL_ISA {

/// Sums of some columns, in the lanes of sum_columns(): of each packed tile 16 lanes of kTileRows sums, as 16 rows of
/// the tile stand. Of a tile with fewer rows the other sums mean nothing.
struct PackedSums {
  float* lanes;  ///< size(outputs.size()) floats, or null: not wanted
  Range outputs;

  static constexpr int64_t kTileLanes = kTileRows * kLanes;

  /// Outputs come in blocks, each of whole tiles.
  static int64_t size(int64_t outputs) { return divide_up(outputs, kTransposedRows) * kTransposedRows * kLanes; }

  void start() const {
    if (lanes != nullptr) clear_floats(lanes, size(outputs.size()));
  }

  /// Adds some rows of a block of outputs; only the last ones may not be a multiple of 16.
  void add(const float* packed, int64_t rows, Range block) const {
    if (lanes == nullptr) return;
    float* of_tile = of_block(block);
    for (int64_t tile = RowTiles(block.size()).count; tile > 0; --tile) {
      add_tile_rows(packed, rows, of_tile);
      packed += kPackedTile, of_tile += kTileLanes;
    }
  }

  /// Adds the lanes, and their sums to the arrays.
  void finish(const SumsOfColumns& sums) const {
    if (lanes == nullptr) return;
    for (int64_t i = outputs.begin; i < outputs.end; i += kTransposedRows) {
      const Range block{i, smaller(i + kTransposedRows, outputs.end)};
      RowTiles(block.size()).for_each([&]<int kRows>(int64_t row, int64_t tile) {
        float* const of_tile = of_block(block) + tile * kTileLanes;
        for (int64_t half = kTileLanes / 2; half >= kTileRows; half /= 2) {
          for (int64_t j = 0; j < half; ++j) of_tile[j] += of_tile[j + half];
        }
        sums.add(i + row, load_partial(of_tile, first_lanes(kRows)), kRows);
      });
    }
  }

 private:
  float* of_block(Range block) const { return lanes + (block.begin - outputs.begin) * kLanes; }

  static void add_tile_rows(const float* packed, int64_t rows, float* of_tile) {
    Vec sums[kTileRows];
#pragma GCC unroll 8
    for (int v = 0; v < kTileRows; ++v) sums[v] = load(of_tile + v * kLanes);
    int64_t n = 0;
    for (; n + kLanes <= rows; n += kLanes, packed += kTileLanes) {
#pragma GCC unroll 8
      for (int v = 0; v < kTileRows; ++v) sums[v] = sums[v] + load(packed + v * kLanes);
    }
#pragma GCC unroll 8
    for (int v = 0; v < kTileRows; ++v) store(of_tile + v * kLanes, sums[v]);
    for (int64_t j = 0; j < (rows - n) * kTileRows; ++j) of_tile[j] += packed[j];
  }
};

}  // namespace unroll::UNROLL_ISA
