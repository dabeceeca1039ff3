#include <sys/mman.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "test/check.h"

/// Packing and unpacking, of sequences and of padded batches.

namespace unroll::test {
namespace {

/// A packed batch of random lengths, and of a few that are equal or 0, beside its padded form.
struct RaggedBatch {
  std::vector<int32_t> lengths, offsets{0}, order;

  RaggedBatch(int64_t sequences, int32_t longest, bool sorted, int32_t shortest = 0)
      : lengths(sequences), order(sequences) {
    std::mt19937 generator(static_cast<uint32_t>(sequences * 1000 + longest));
    for (int32_t& length : lengths) {
      length = shortest + static_cast<int32_t>(generator() % (longest - shortest + 1));
    }
    lengths[sequences / 2] = longest;
    if (sorted) std::sort(lengths.begin(), lengths.end(), std::greater<>());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return lengths[a] > lengths[b]; });
    for (int32_t t = 0; t < longest; ++t) {
      const auto has_step = [&](int32_t length) { return length > t; };
      offsets.push_back(offsets[t] + static_cast<int32_t>(std::count_if(lengths.begin(), lengths.end(), has_step)));
    }
  }

  int64_t sequences() const { return static_cast<int64_t>(lengths.size()); }
  Steps steps() const { return {offsets.data(), order.data(), static_cast<int64_t>(offsets.size()) - 1, sequences()}; }

  /// Calls body(packed row, caller's sequence, step) for every real step.
  template <class Body>
  void for_each_row(const Body& body) const {
    for (int64_t t = 0; t + 1 < static_cast<int64_t>(offsets.size()); ++t) {
      for (int64_t row = offsets[t]; row < offsets[t + 1]; ++row) body(row, order[row - offsets[t]], t);
    }
  }
};

enum class Cut { kWhole, kFourParts };

/// Calls move(cells) for a whole batch, or for the rectangles into which a step and a sequence cut it, neither at the
/// edge of a tile.
void in_parts(Cut cut, Cells cells, int64_t total_steps, const std::function<void(const Cells&)>& move) {
  if (cut == Cut::kWhole) return move({cells.steps, cells.features, 0, total_steps, 0, cells.steps.sequences});
  const int64_t step = total_steps / 3, sequence = cells.steps.sequences / 3;
  for (const auto& [first_step, steps] : {std::pair{int64_t{0}, step}, {step, total_steps - step}}) {
    for (const auto& [first, count] : {std::pair{int64_t{0}, sequence}, {sequence, cells.steps.sequences - sequence}}) {
      cells.first_step = first_step;
      cells.step_count = steps;
      cells.first_sequence = first;
      cells.sequence_count = count;
      move(cells);
    }
  }
}

/// Sequences in arrays of their own size, with a value around each that must not change.
void check_packing(const RaggedBatch& batch, int64_t features, Cut cut) {
  const int64_t rows = batch.offsets.back();
  const Floats values = random_floats(rows * features, 1);
  const Floats all = same_everywhere("packing", [&](const Kernels& kernels, Parallel& pool) {
    std::vector<Floats> arrays;
    std::vector<float*> sequences;
    for (const int32_t b : batch.order) arrays.emplace_back(batch.lengths[b] * features + 2, -7.0f);
    for (Floats& array : arrays) sequences.push_back(&array[1]);
    Floats packed(rows * features + 2, -7.0f);
    const auto sequences_from = [&](const Cells& cells) { return sequences.data() + cells.first_sequence; };
    const Cells cells{batch.steps(), features, 0, 0, 0, 0};
    in_parts(cut, cells, cells.steps.count,
             [&](const Cells& part) { kernels.unpack_sequences(part, values.data(), sequences_from(part), pool); });
    in_parts(cut, cells, cells.steps.count,
             [&](const Cells& part) { kernels.pack_sequences(part, sequences_from(part), &packed[1], pool); });
    for (const Floats& array : arrays) packed.insert(packed.end(), array.begin(), array.end());
    return packed;
  });
  Floats expected(rows * features + 2, -7.0f);
  std::copy(values.begin(), values.end(), expected.begin() + 1);
  for (int64_t p = 0; p < batch.sequences(); ++p) {
    expected.push_back(-7.0f);
    for (int64_t t = 0; t < batch.lengths[batch.order[p]]; ++t) {
      const float* const row = &values[(batch.offsets[t] + p) * features];
      expected.insert(expected.end(), row, row + features);
    }
    expected.push_back(-7.0f);
  }
  check_same(all, expected, "packing rows of " + std::to_string(features));
}

enum class Order { kBatchFirst, kTimeFirst };
enum class Side { kRight, kLeft };

/// Padded with NaN to a step more than the longest, in either order; nothing around may change. Padding on the left is
/// not the kernels' to write: there each sequence is one that begins at a cell of its own.
void check_padded(const RaggedBatch& batch, int64_t features, Order padded_order, Side side, Cut cut) {
  const int64_t sequences = batch.sequences(), total_steps = batch.steps().count + 1, rows = batch.offsets.back();
  const int64_t size = rows * features, padded_size = sequences * total_steps * features;
  const bool batch_first = padded_order == Order::kBatchFirst, left = side == Side::kLeft;
  const int64_t to_sequence = batch_first ? total_steps : 1, to_step = batch_first ? 1 : sequences;
  const auto start = [&](int32_t sequence) {
    return sequence * to_sequence + (left ? (total_steps - batch.lengths[sequence]) * to_step : 0);
  };
  std::vector<int32_t> starts;
  for (const int32_t sequence : batch.order) starts.push_back(static_cast<int32_t>(start(sequence)));
  Steps steps = batch.steps();
  if (left) steps.order = starts.data();
  const Cells cells{steps, features, 0, 0, 0, 0};
  const PaddedCells padded{cells, (left ? 1 : to_sequence) * features, to_step * features, left};
  const Floats values = random_floats(size, 1);
  const auto in_padded_parts = [&](const std::function<void(const PaddedCells&)>& move) {
    in_parts(cut, padded.cells, left ? steps.count : total_steps, [&](const Cells& part) {
      move({part, padded.sequence_stride, padded.step_stride, padded.real_steps_only});
    });
  };
  const Floats all = same_everywhere("padded batch", [&](const Kernels& kernels, Parallel& pool) {
    Floats y(padded_size + 2 + size + 2, -7.0f);
    float* const packed = &y[padded_size + 3];
    if (left) std::fill_n(&y[1], padded_size, NAN);
    in_padded_parts([&](const PaddedCells& part) { kernels.unpack_padded(part, values.data(), NAN, &y[1], pool); });
    in_padded_parts([&](const PaddedCells& part) { kernels.pack_padded(part, &y[1], packed, pool); });
    return y;
  });
  Floats expected(padded_size + 2 + size + 2, -7.0f);
  std::fill_n(&expected[1], padded_size, NAN);
  std::copy(values.begin(), values.end(), &expected[padded_size + 3]);
  batch.for_each_row([&](int64_t row, int32_t sequence, int64_t t) {
    std::copy_n(&values[row * features], features, &expected[1 + (start(sequence) + t * to_step) * features]);
  });
  check_same(all, expected, "padded batch of " + std::to_string(features) + " features");
}

void check_batch(const RaggedBatch& batch, int64_t features, Cut cut) {
  check_packing(batch, features, cut);
  for (const Order order : {Order::kBatchFirst, Order::kTimeFirst}) {
    for (const Side side : {Side::kRight, Side::kLeft}) check_padded(batch, features, order, side, cut);
  }
}

/// Every number of features at sizes that cross the tiles' edges, and all of these sizes with a few numbers of
/// features.
void check_batches() {
  const std::vector<int64_t> sizes = {1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 130};
  for (const bool sorted : {false, true}) {
    for (int64_t features = 1; features <= 17; ++features) {
      for (const int64_t size : {1, 17, 65}) check_batch(RaggedBatch(size, 67, sorted), features, Cut::kFourParts);
    }
    for (const int64_t sequences : sizes) {
      for (const int64_t steps : sizes) {
        for (const int64_t features : {1, 2, 4, 5}) {
          check_batch(RaggedBatch(sequences, static_cast<int32_t>(steps), sorted), features, Cut::kFourParts);
        }
      }
    }
  }
  for (const int64_t features : {33, 130}) check_batch(RaggedBatch(17, 33, false), features, Cut::kFourParts);
}

/// Steps, or padded sequences (of a step more), as far apart as lines that share sets of L1.
void check_shared_sets() {
  for (const Cut cut : {Cut::kWhole, Cut::kFourParts}) {
    check_batch(RaggedBatch(512, 133, false, 133), 1, cut);
    check_batch(RaggedBatch(128, 70, false, 69), 4, cut);
    check_batch(RaggedBatch(150, 511, false, 400), 1, cut);
    check_batch(RaggedBatch(133, 255, false), 2, cut);
  }
}

/// Large enough that threads share it, and that it is written past the caches: 6.5 MiB or more.
void check_large_batch(int64_t features, int32_t steps) {
  const int64_t sequences = (13 << 17) / (features * steps / 2) + 8;
  const RaggedBatch batch(sequences, steps, false), sorted(sequences, steps, true);
  for (const Cut cut : {Cut::kWhole, Cut::kFourParts}) check_batch(batch, features, cut);
  check_padded(sorted, features, Order::kTimeFirst, Side::kRight, Cut::kWhole);
}

/// The last cells of a batch of 18 GB, which lie beyond what 32 bits count in bytes and in floats. Nothing else of it
/// is touched, so it takes no memory.
void check_far_cells(bool batch_first) {
  constexpr int64_t kSequences = 2, kSteps = 2'200'000, kFeatures = 1030;
  constexpr size_t kBytes = kSequences * kSteps * kFeatures * sizeof(float);
  const auto reserve = [] {
    void* const block =
        mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    check(block != MAP_FAILED, "address space for far cells");
    return static_cast<float*>(block);
  };
  float *const packed = reserve(), *const padded = reserve();
  if (packed == MAP_FAILED || padded == MAP_FAILED) return;
  std::vector<int32_t> offsets(kSteps + 1);
  for (int64_t t = 0; t <= kSteps; ++t) offsets[t] = static_cast<int32_t>(t * kSequences);
  const std::vector<int32_t> order = {1, 0};
  const int64_t last = kSteps - 1, size = kSequences * kFeatures;
  const Cells cells{{offsets.data(), order.data(), kSteps, kSequences}, kFeatures, last, 1, 0, kSequences};
  const int64_t sequence_stride = batch_first ? kSteps * kFeatures : kFeatures;
  const PaddedCells far{cells, sequence_stride, batch_first ? kFeatures : size};
  const Floats values = random_floats(size, 1);
  const auto of_sequence = [&](int32_t b) { return padded + b * sequence_stride + last * far.step_stride; };
  float* const sequences[] = {of_sequence(1) - last * kFeatures, of_sequence(0) - last * kFeatures};
  const auto check_cells = [&](const float* first, const float* second, const std::string& what) {
    Floats y(first, first + kFeatures);
    y.insert(y.end(), second, second + kFeatures);
    check_same(y, values, what);
  };
  static ThreadPool one(1);
  float* const row = packed + last * size;
  for (const Kernels* table : supported_kernels()) {
    for (const bool by_sequences : {false, true}) {
      const std::string what = std::string("far cells by ") + table->name;
      std::copy(values.begin(), values.end(), row);
      for (const int32_t b : order) std::fill_n(of_sequence(b), kFeatures, 0.0f);
      if (by_sequences) {
        table->unpack_sequences(cells, packed, sequences, one);
      } else {
        table->unpack_padded(far, packed, 0.0f, padded, one);
      }
      check_cells(of_sequence(1), of_sequence(0), "unpacked " + what);
      std::fill_n(row, size, 0.0f);
      if (by_sequences) {
        table->pack_sequences(cells, sequences, packed, one);
      } else {
        table->pack_padded(far, padded, packed, one);
      }
      check_cells(row, row + kFeatures, "packed " + what);
    }
  }
  munmap(packed, kBytes);
  munmap(padded, kBytes);
}

}  // namespace
}  // namespace unroll::test

int main() {
  using namespace unroll::test;
  const unroll::FlushDenormals scope;
  check_batches();
  check_shared_sets();
  for (const int64_t features : {1, 3, 4, 40, 63, 130}) check_large_batch(features, 301);
  check_large_batch(13, 2000);
  for (const bool batch_first : {false, true}) check_far_cells(batch_first);
  return finish("packing");
}
