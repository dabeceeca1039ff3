#pragma once

/// Softmax along rows, and its fusion with cross-entropy. The maximum is subtracted first, so nothing overflows; sums
/// take 16 lanes and one tree, as the contract says.
///
/// A row takes two passes: one for the maximum, one for the exponentials and their sum, which the contract wants apart.
/// The second leaves its values in the thread's scratch memory, and in the same loop finishes the row before, whose sum
/// is known by then, so that writing to memory goes on beside the arithmetic. It also prefetches the row after.

#include "kernels/copy.h"
#include "kernels/elementary.h"
#include "kernels/reduce.h"
#include "kernels/split.h"
#include "kernels/tile.h"

namespace unroll::UNROLL_ISA {

/// Operations of one element of a softmax row: two passes, one with an exp.
constexpr int64_t kSoftmaxCost = 60;

constexpr float kMinusInfinity = -__builtin_inff();

/// Short rows are worked on kShortRows at a time: the trees of their sums are long chains, which then overlap.
constexpr int64_t kShortRow = 256;
static_assert(kShortRow <= kSumBlock && kShortRows * kShortRow <= kNearScratchFloats);

/// Like load_columns, with -infinity, of which exp is 0, in the lanes past the last column.
UNROLL_INLINE Vec load_scores(const float* p, int64_t columns) {
  return columns >= kLanes ? load(p) : load_partial(p, first_lanes(columns), kMinusInfinity);
}

struct SoftmaxCall {
  int64_t rows, columns;
  const float* x;
  float* y;  ///< may be x
};

/// The difference of a score and the largest, which is 0 or below, as it goes into the exponential. Scores are not
/// scaled up before, and halved if they are scaled down: else one of the two might overflow.
struct Scaled {
  Vec before, after;

  explicit Scaled(float scale)
      : before(broadcast(scale < 1.0f ? 0.5f : 1.0f)), after(broadcast(scale < 1.0f ? 2.0f * scale : scale)) {}
  UNROLL_INLINE Vec operator()(Vec x, Vec minus_maximum) const {
    return fma(x, before, minus_maximum * before) * after;
  }
};
struct Unscaled {
  UNROLL_INLINE Vec operator()(Vec x, Vec minus_maximum) const { return x + minus_maximum; }
};

/// Of kRows rows: the maximum, and the sum of exp(scale (x - maximum)); NaN if the row holds NaN or +inf, or only
/// -inf.
template <int kRows>
struct RowSums {
  float maximum[kRows], sum[kRows];
};

template <int kRows>
struct RowLanes {
  Vec row[kRows];
};

/// What the pass over the exponentials keeps of each score for the end of the row.
enum class Keep { kNothing, kExponential, kShifted };

/// Rows whose sums are known, but whose results are not written yet: kept * operand, or kept - operand of shifted
/// scores. Rows of `kept` are `stride` floats apart.
template <int kRows, Keep kKeep, bool kStream>
struct PendingRows {
  const float* kept;
  int64_t stride;
  float* y = nullptr;
  int64_t columns = 0;  ///< 0 if there are no such rows
  int64_t head = 0;     ///< columns before the first whole line of y
  RowLanes<kRows> operand{};

  /// Makes the rows in `kept` the pending ones.
  UNROLL_INLINE void start(float* rows, int64_t row_columns, const float (&operands)[kRows]) {
    y = rows;
    columns = row_columns;
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) operand.row[r] = broadcast(operands[r]);
    if constexpr (kStream) {
      head = smaller(columns, floats_to_line(y));
      if (head > 0) write(0, 0, head);
    }
  }

  /// Writes the 16 results of row r, or fewer, of kept[column + head ...]. Columns ascend, and each call comes before
  /// kept[column ...] is overwritten: then everything is still there when its turn comes.
  UNROLL_INLINE void finish(int r, int64_t column) const {
    if (column + head < columns) write(r, column + head, columns - column - head);
  }

  UNROLL_INLINE void finish_all() const {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      for (int64_t c = 0; c < columns; c += kLanes) finish(r, c);
    }
  }

 private:
  UNROLL_INLINE void write(int r, int64_t column, int64_t width) const {
    const Vec value = load_columns(kept + r * stride + column, width);
    const Vec result = kKeep == Keep::kShifted ? value - operand.row[r] : value * operand.row[r];
    float* const to = y + r * columns + column;
    if (kStream && width >= kLanes && column >= head) return stream(to, result);
    store_columns(to, result, width);
  }
};

/// The largest score in each of the 16 lanes. A single row has as many independent maxima as several rows.
template <int kRows>
UNROLL_INLINE RowLanes<kRows> largest_scores(const float* x, int64_t columns) {
  constexpr int kChains = kShortRows / kRows;
  const int64_t whole = columns - columns % (kChains * kLanes);
  Vec top[kRows][kChains];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int chain = 0; chain < kChains; ++chain) top[r][chain] = broadcast(kMinusInfinity);
  }
  for (int64_t c = 0; c < whole; c += kChains * kLanes) {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int chain = 0; chain < kChains; ++chain)
        top[r][chain] = max(top[r][chain], load(x + r * columns + c + chain * kLanes));
    }
  }
  for_column_blocks(whole, columns, [&](int64_t c, int64_t width) UNROLL_INLINE_LAMBDA {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) top[r][0] = max(top[r][0], load_scores(x + r * columns + c, width));
  });
  RowLanes<kRows> all;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    all.row[r] = top[r][0];
#pragma GCC unroll 4
    for (int chain = 1; chain < kChains; ++chain) all.row[r] = max(all.row[r], top[r][chain]);
  }
  return all;
}

/// Sums of exp(scale (x - maximum)) and what is kept of them, beside the end of the pending rows. Only single rows may
/// be longer than kSumBlock.
template <int kRows, Keep kKeep, bool kStream, class Scale>
UNROLL_INLINE RowSums<kRows> exponentials_of_rows(const float* x, int64_t columns, Scale scaled, float* kept,
                                                  int64_t stride, const PendingRows<kRows, kKeep, kStream>& pending) {
  const RowLanes<kRows> top = largest_scores<kRows>(x, columns);
  RowSums<kRows> result;
  RowLanes<kRows> minus_maximum, lanes;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    result.maximum[r] = largest(top.row[r]);
    minus_maximum.row[r] = broadcast(-result.maximum[r]);
  }
  const auto sums_of_block = [&](int64_t begin, int64_t end) UNROLL_INLINE_LAMBDA {
    RowLanes<kRows> sums;
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) sums.row[r] = broadcast(0.0f);
    for_column_blocks(begin, end, [&](int64_t c, int64_t width) UNROLL_INLINE_LAMBDA {
      // All rows' loads before their stores, which the compiler keeps in order: so their steps take turns.
      Vec shifted[kRows], e[kRows];
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        if constexpr (kRows == 1) __builtin_prefetch(x + columns + c, 0, 2);
        if constexpr (kKeep != Keep::kNothing) pending.finish(r, c);
        shifted[r] = scaled(load_scores(x + r * columns + c, width), minus_maximum.row[r]);
      }
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) e[r] = exp_of_difference(shifted[r]);
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        sums.row[r] = sums.row[r] + e[r];
        if constexpr (kKeep != Keep::kNothing) {
          store_columns(kept + r * stride + c, kKeep == Keep::kShifted ? shifted[r] : e[r],
                        kRows == 1 ? width : kLanes);
        }
      }
    });
    return sums;
  };
  lanes = sums_of_block(0, smaller(kSumBlock, columns));
  if constexpr (kRows == 1) {
    for (int64_t c = kSumBlock; c < columns; c += kSumBlock) {
      lanes.row[0] = lanes.row[0] + sums_of_block(c, smaller(c + kSumBlock, columns)).row[0];
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) result.sum[r] = sum(lanes.row[r]);
  return result;
}

/// Of one row, as a function that softmax and cross-entropy share. `pending` is a copy that no store can change.
template <Keep kKeep, bool kStream, class Scale>
__attribute__((noinline)) RowSums<1> exponentials_of_row(const float* x, int64_t columns, Scale scaled, float* kept,
                                                         int64_t stride, PendingRows<1, kKeep, kStream> pending) {
  return exponentials_of_rows(x, columns, scaled, kept, stride, pending);
}

/// Takes `rows` of the call through both passes, kRows at a time; what the second keeps goes to `kept`.
template <int kRows, bool kStream, class Function, class Scale>
void run_rows(Range rows, const SoftmaxCall& call, const Scale& scaled, float* kept, const Function& function) {
  const int64_t columns = call.columns, stride = round_up(columns, kLanes);
  PendingRows<kRows, Function::kKeep, kStream> pending{kept, stride};
  for (int64_t first = rows.begin; first < rows.end; first += kRows) {
    function.template begin<kRows>(first);
    const float* const x = call.x + first * columns;
    RowSums<kRows> sums;
    if constexpr (kRows == 1) {
      sums = exponentials_of_row(x, columns, scaled, kept, stride, pending);
    } else {
      sums = exponentials_of_rows(x, columns, scaled, kept, stride, pending);
    }
    float operands[kRows];
    function.template end<kRows>(first, sums, kept, stride, operands);
    if constexpr (Function::kKeep != Keep::kNothing) pending.start(call.y + first * columns, columns, operands);
  }
  pending.finish_all();
}

/// Takes all rows through `function`, on all threads. It has begin(first), called before a group of rows is
/// overwritten if y is x, and end(first, sums, kept, stride, operands), which sets the operands of PendingRows.
template <class Function, class Scale>
void for_rows(const SoftmaxCall& call, const Scale& scaled, Parallel& pool, const Function& function) {
  constexpr bool kWrites = Function::kKeep != Keep::kNothing;
  const bool past_caches = kWrites && call.x != call.y && goes_past_caches(call.rows * call.columns);
  const int64_t tasks = tasks_for(pool, call.rows, kSoftmaxCost * call.columns);
  parallel_for(pool, tasks, [&](int64_t task, float* scratch) {
    const Range part = part_of(call.rows, tasks, task);
    if (kWrites && call.columns > kNearScratchFloats) {
      for (int64_t r = part.begin; r < part.end; ++r) {
        run_rows<1, false>({r, r + 1}, call, scaled, call.y + r * call.columns, function);
      }
    } else if (call.columns <= kShortRow) {
      const int64_t grouped = part.end - part.size() % kShortRows;
      run_rows<kShortRows, false>({part.begin, grouped}, call, scaled, scratch, function);
      run_rows<1, false>({grouped, part.end}, call, scaled, scratch, function);
    } else if (past_caches) {
      run_rows<1, kStreams && kWrites>(part, call, scaled, scratch, function);
      fence();
    } else {
      run_rows<1, false>(part, call, scaled, scratch, function);
    }
  });
}

/// The logarithms of the sums, all in one vector.
template <int kRows>
UNROLL_INLINE void log_of_sums(const RowSums<kRows>& sums, float (&logarithms)[kLanes]) {
  static_assert(kRows == 1 || kRows == 4);
  if constexpr (kRows == 1) {
    store(logarithms, log(broadcast(sums.sum[0])));
  } else {
    store(logarithms, log(four_floats(sums.sum[0], sums.sum[1], sums.sum[2], sums.sum[3], 1.0f)));
  }
}

/// Calls body(Unscaled()) or body(Scaled()). The bits are the same, but the products are several of each row's
/// operations.
template <class Body>
void with_scale(float scale, const Body& body) {
  if (scale == 1.0f) return body(Unscaled());
  body(Scaled(scale));
}

struct Probabilities {
  static constexpr Keep kKeep = Keep::kExponential;
  template <int kRows>
  void begin(int64_t) const {}
  template <int kRows>
  UNROLL_INLINE void end(int64_t, const RowSums<kRows>& sums, float*, int64_t, float (&factors)[kRows]) const {
    for (int r = 0; r < kRows; ++r) factors[r] = 1.0f / sums.sum[r];
  }
};

inline void softmax(int64_t rows, int64_t columns, const float* x, float scale, float* y, Parallel& pool) {
  with_scale(scale, [&](auto scaled) { for_rows({rows, columns, x, y}, scaled, pool, Probabilities()); });
}

struct LogProbabilities {
  static constexpr Keep kKeep = Keep::kShifted;
  template <int kRows>
  void begin(int64_t) const {}
  template <int kRows>
  UNROLL_INLINE void end(int64_t, const RowSums<kRows>& sums, float*, int64_t, float (&log_sums)[kRows]) const {
    alignas(64) float logarithms[kLanes];
    log_of_sums(sums, logarithms);
    for (int r = 0; r < kRows; ++r) log_sums[r] = logarithms[r];
  }
};

inline void log_softmax(int64_t rows, int64_t columns, const float* x, float scale, float* y, Parallel& pool) {
  with_scale(scale, [&](auto scaled) { for_rows({rows, columns, x, y}, scaled, pool, LogProbabilities()); });
}

inline void softmax_backward(int64_t rows, int64_t columns, const float* y, const float* d_y, float scale, float* d_x,
                             Parallel& pool) {
  parallel_ranges(pool, rows, 6 * columns, [&](Range part) {
    for (int64_t r = part.begin; r < part.end; ++r) {
      const int64_t row = r * columns;
      const float product = sum_of_row(columns, [&](int64_t c, int64_t width, Vec products) UNROLL_INLINE_LAMBDA {
        return fma(load_columns(y + row + c, width), load_columns(d_y + row + c, width), products);
      });
      const Vec mean = broadcast(product), factor = broadcast(scale);
      for_column_blocks(0, columns, [&](int64_t c, int64_t width) UNROLL_INLINE_LAMBDA {
        const Vec centred = load_columns(d_y + row + c, width) - mean;
        store_columns(d_x + row + c, load_columns(y + row + c, width) * factor * centred, width);
      });
    }
  });
}

/// The loss, and unless kKept is kNothing its gradient: probabilities, less those of the target. The target is 1 -
/// smoothing for the label, and smoothing / columns more for every column.
template <Keep kKept>
struct CrossEntropy {
  static constexpr Keep kKeep = kKept;
  const float* logits;
  int64_t columns;
  const int32_t* labels;
  const float* weights;  ///< of rows, or null
  float smoothing;
  float gradient_scale;
  float* losses;

  /// The label's logit waits in the place of the loss; with smoothing, the mean of the logits by the target's
  /// probabilities, less the largest.
  template <int kRows>
  UNROLL_INLINE void begin(int64_t first) const {
    for (int64_t r = first; r < first + kRows; ++r) {
      const float of_label = logits[r * columns + labels[r]];
      losses[r] = smoothing == 0.0f ? of_label : smoothed(of_label, logits + r * columns);
    }
  }
  template <int kRows>
  UNROLL_INLINE void end(int64_t first, const RowSums<kRows>& sums, float* kept, int64_t stride,
                         float (&factors)[kRows]) const {
    alignas(64) float logarithms[kLanes];
    log_of_sums(sums, logarithms);
    for (int r = 0; r < kRows; ++r) {
      const float kept_logit = losses[first + r];
      const float loss = logarithms[r] - (smoothing == 0.0f ? kept_logit - sums.maximum[r] : kept_logit);
      losses[first + r] = weights == nullptr ? loss : loss * weights[first + r];
      if constexpr (kKeep != Keep::kNothing) {
        kept[r * stride + labels[first + r]] -= (1.0f - smoothing) * sums.sum[r];
        if (smoothing != 0.0f) subtract(sums.sum[r] * (smoothing / columns), kept + r * stride);
        const float scale = weights == nullptr ? gradient_scale : gradient_scale * weights[first + r];
        factors[r] = scale / sums.sum[r];
      }
    }
  }

 private:
  /// Nothing overflows here either, and differences of scores are as near to them as in the softmax.
  float smoothed(float of_label, const float* row) const {
    const float top = largest(largest_scores<1>(row, columns).row[0]);
    const Vec share = broadcast(smoothing / columns);
    const float mean = sum_of_row(columns, [&](int64_t c, int64_t width, Vec lanes) UNROLL_INLINE_LAMBDA {
      const Vec x = width < kLanes ? load_partial(row + c, first_lanes(width), top) : load(row + c);
      return fma(x - broadcast(top), share, lanes);
    });
    return smoothing == 1.0f ? mean : (1.0f - smoothing) * (of_label - top) + mean;
  }

  void subtract(float share, float* row) const {
    for_column_blocks(0, columns, [&](int64_t c, int64_t width) UNROLL_INLINE_LAMBDA {
      store_columns(row + c, load_columns(row + c, width) - broadcast(share), width);
    });
  }
};

inline void softmax_cross_entropy(int64_t rows, int64_t columns, const float* logits, const int32_t* labels,
                                  const float* weights, float smoothing, float gradient_scale, float* losses,
                                  float* d_logits, Parallel& pool) {
  const SoftmaxCall call{rows, columns, logits, d_logits};
  if (d_logits == nullptr) {
    const CrossEntropy<Keep::kNothing> loss{logits, columns, labels, weights, smoothing, gradient_scale, losses};
    return for_rows(call, Unscaled(), pool, loss);
  }
  const CrossEntropy<Keep::kExponential> gradient{logits, columns, labels, weights, smoothing, gradient_scale, losses};
  for_rows(call, Unscaled(), pool, gradient);
}

}  // namespace unroll::UNROLL_ISA
