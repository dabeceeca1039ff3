#pragma once

/// Rows of a product as its tiles take them.

#include "kernels/product.h"

namespace unroll::UNROLL_ISA {

/// Rows of `a` that one pass over the panels uses: with a k block of 256 they take 192 KiB, less than half of a 512 KiB
/// L2.
constexpr int64_t kRowChunk = 192;
static_assert(kRowChunk % kTileRows == 0);

/// At most kMost rows of a product, one after the other, of whatever ranges they are: a tile may have rows of several.
template <int64_t kMost>
class TileRows {
 public:
  explicit TileRows(const Product& product) : left_(product.left), range_(product.rows.data) {}

  /// Takes the next so many, one at least. The loop is short: to use vectors would cost more than it saves.
  UNROLL_INLINE void take(int64_t count) {
    for (count_ = 0; count_ < count;) {
      const int64_t end = smaller(count_ + range_->count - taken_, count);
      const float* row = left_.at(range_->from + taken_, 0);
      int64_t to = range_->to + taken_;
      taken_ += end - count_;
      for (; count_ < end; count_ = opaque(count_ + 1), row += left_.stride) {
        rows_[count_] = row;
        to_[count_] = to++;
      }
      if (taken_ == range_->count) ++range_, taken_ = 0;
    }
    for (int64_t n = 0; n < kTileRows; ++n) rows_[count_ + n] = rows_[0];
    k_ = 0;
  }

  /// Of the left operand the elements from k on.
  UNROLL_INLINE void move_to(int64_t k) {
    const int64_t distance = k - k_;
    if (distance == 0) return;
    for (int64_t n = 0; n < count_ + kTileRows; ++n) rows_[n] += distance;
    k_ = k;
  }

  int64_t count() const { return count_; }
  UNROLL_INLINE Left<false> from(int64_t row) const { return {rows_ + row, to_ + row}; }

 private:
  const LeftRows left_;
  const RowRange* range_;
  int64_t taken_ = 0;  ///< of the range
  int64_t count_ = 0, k_ = 0;
  const float* rows_[kMost + kTileRows];
  int64_t to_[kMost];
};

/// Those that one pass over the panels serves.
using ChunkRows = TileRows<kRowChunk>;

}  // namespace unroll::UNROLL_ISA
