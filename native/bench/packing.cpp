/// Prints what packing and unpacking reach of the throughput of a plain copy (memcpy) by one thread, measured in turns
/// in one run: sequence by sequence, from and to a padded batch of either order, and that on two threads. What counts
/// is the mean of the bytes that are read and those that are written, the padding of an unpacked batch among them
/// unless it is on the left.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "bench/limits.h"
#include "runtime/dispatch.h"
#include "runtime/memory.h"
#include "runtime/thread_pool.h"

namespace {

namespace bench = unroll::bench;

struct Shape {
  int64_t sequences, shortest, longest, features;
};

/// A packed batch of lengths uniform in a range, in any order.
struct Batch {
  std::vector<int32_t> lengths, offsets, order;

  explicit Batch(Shape shape) : lengths(shape.sequences), offsets{0}, order(shape.sequences) {
    std::mt19937 generator(1);
    for (int32_t& length : lengths) {
      length = static_cast<int32_t>(shape.shortest + generator() % (shape.longest - shape.shortest + 1));
    }
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return lengths[a] > lengths[b]; });
    for (int32_t t = 0; t < lengths[order[0]]; ++t) {
      const auto has_step = [&](int32_t length) { return length > t; };
      offsets.push_back(offsets[t] + static_cast<int32_t>(std::count_if(lengths.begin(), lengths.end(), has_step)));
    }
  }

  unroll::Steps steps() const {
    return {offsets.data(), order.data(), static_cast<int64_t>(offsets.size()) - 1,
            static_cast<int64_t>(lengths.size())};
  }
};

/// Ways to move a batch, and the shortest time that each took.
struct Way {
  const char* name;
  int64_t moved;  // floats: the mean of those read and those written
  std::function<void()> move;
  double best = 1e30;
};

void measure(const unroll::Kernels& kernels, Shape shape) {
  static unroll::ThreadPool one(1), two(2);
  const Batch batch(shape);
  const unroll::Steps steps = batch.steps();
  const int64_t features = shape.features, rows = steps.offsets[steps.count], cells = steps.count * steps.sequences;
  const int64_t size = rows * features, padded_size = cells * features, unpadded = (size + padded_size) / 2;
  auto* const packed = static_cast<float*>(unroll::allocate(size * 4));
  auto* const padded = static_cast<float*>(unroll::allocate(padded_size * 4));
  std::fill(packed, packed + size, 1.0f);  // memory that was never written is one page of zeros, read from the cache
  std::fill(padded, padded + padded_size, 2.0f);
  const unroll::Cells all{steps, features, 0, steps.count, 0, steps.sequences};
  const unroll::PaddedCells batch_first{all, steps.count * features, features};
  const unroll::PaddedCells time_first{all, features, steps.sequences * features};
  std::vector<int32_t> starts;  // of sequences with their padding on the left
  for (const int32_t b : batch.order) starts.push_back(static_cast<int32_t>((b + 1) * steps.count - batch.lengths[b]));
  unroll::PaddedCells left{all, features, features, true};
  left.cells.steps.order = starts.data();
  std::vector<float*> sequences;  // one after the other in `padded`
  int64_t start = 0;
  for (int64_t p = 0; p < steps.sequences; ++p) {
    sequences.push_back(padded + start);
    start += batch.lengths[steps.order[p]] * features;
  }
  std::vector<Way> ways = {
      {"memcpy", size, [&] { std::memcpy(packed, padded, static_cast<size_t>(size) * 4); }},
      {"pack sequences", size, [&] { kernels.pack_sequences(all, sequences.data(), packed, one); }},
      {"unpack sequences", size, [&] { kernels.unpack_sequences(all, packed, sequences.data(), one); }},
      {"pack batch-first", size, [&] { kernels.pack_padded(batch_first, padded, packed, one); }},
      {"pack batch-first, left", size, [&] { kernels.pack_padded(left, padded, packed, one); }},
      {"pack time-first", size, [&] { kernels.pack_padded(time_first, padded, packed, one); }},
      {"pack batch-first, 2 threads", size, [&] { kernels.pack_padded(batch_first, padded, packed, two); }},
      {"unpack batch-first", unpadded, [&] { kernels.unpack_padded(batch_first, packed, 0.0f, padded, one); }},
      {"unpack batch-first, left", size, [&] { kernels.unpack_padded(left, packed, 0.0f, padded, one); }},
      {"unpack time-first", unpadded, [&] { kernels.unpack_padded(time_first, packed, 0.0f, padded, one); }},
      {"unpack batch-first, 2 threads", unpadded,
       [&] { kernels.unpack_padded(batch_first, packed, 0.0f, padded, two); }},
  };
  const int repeats = std::max(1, static_cast<int>(2'000'000 / size));
  for (int turn = 0; turn < 15; ++turn) {
    for (Way& way : ways) {
      way.best = std::min(way.best, bench::best_time(2, [&] {
                            for (int i = 0; i < repeats; ++i) way.move();
                          }));
    }
  }
  const auto rate = [&](const Way& way) { return static_cast<double>(way.moved) * 4 * repeats / way.best; };
  std::printf("%-8s %ld sequences of %ld to %ld steps, %ld features, %.1f MB; memcpy %.1f GB/s\n", kernels.name,
              shape.sequences, shape.shortest, shape.longest, features, static_cast<double>(size) * 4e-6,
              rate(ways[0]) * 1e-9);
  for (const Way& way : ways) {
    if (&way != &ways[0]) std::printf("  %-30s %5.0f %%\n", way.name, 100 * rate(way) / rate(ways[0]));
  }
  std::fflush(stdout);
  unroll::release(packed);
  unroll::release(padded);
}

}  // namespace

/// Takes an instruction set and a number of features, or measures all.
int main(int argc, char** argv) {
  const std::string_view only_kernels = argc > 1 ? argv[1] : "", only_features = argc > 2 ? argv[2] : "";
  const Shape shapes[] = {
      {32, 5, 100, 1},       {32, 5, 100, 4},     {32, 5, 100, 13},
      {32, 5, 100, 40},      {32, 5, 100, 128},  // a call
      {512, 10, 1000, 1},    {128, 10, 1000, 4},  {40, 10, 1000, 13},
      {13, 10, 1000, 40},    {64, 64, 64, 64},    // 1 MB
      {512, 512, 512, 1},    {128, 512, 512, 4},  // 1 MB of lines that share sets of L1
      {16'384, 10, 1000, 1}, {4096, 10, 1000, 4}, {1260, 10, 1000, 13},
      {410, 10, 1000, 40},   {256, 10, 500, 128},  // 33 MB
  };
  for (const unroll::Kernels* kernels : unroll::supported_kernels()) {
    if (kernels == &unroll::generic::kKernels || (argc > 1 && only_kernels != kernels->name)) continue;
    for (const Shape shape : shapes) {
      if (argc <= 2 || only_features == std::to_string(shape.features)) measure(*kernels, shape);
    }
  }
  return 0;
}
