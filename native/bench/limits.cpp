/// Prints what this machine's cores can do: the FMA peak and the bandwidth of every level of memory, for 1 and 2
/// threads. One quantity a line, `name threads value unit`, for people and for the benchmarks that read it.
/// Bandwidths of a copy count the bytes read and those written.

#include "bench/limits.h"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

namespace bench = unroll::bench;

constexpr int kRounds = 6;
constexpr int kPeakRounds = 16;  // everything else is compared with the peak
constexpr double kRoundSeconds = 0.006;
constexpr int64_t kAlignment = 64;

bool has_avx512() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") > 0;
#else
  return false;
#endif
}

/// Whether it is used.
bool is_wide = has_avx512();

/// Reads all of an array, `Bytes` at a time, faster than anything but the loads allows.
#define UNROLL_READ_LOOP(Bytes)                                                     \
  typedef int64_t Register __attribute__((vector_size(Bytes)));                     \
  const auto* const data = reinterpret_cast<const Register*>(from);                 \
  Register sums[8] = {};                                                            \
  for (int64_t i = 0; i < bytes / Bytes; i += 8) {                                  \
    _Pragma("GCC unroll 8") for (int j = 0; j < 8; ++j) { sums[j] ^= data[i + j]; } \
  }                                                                                 \
  _Pragma("GCC unroll 8") for (int j = 1; j < 8; ++j) sums[0] ^= sums[j];           \
  volatile int64_t sink = sums[0][0];                                               \
  static_cast<void>(sink)

#define UNROLL_COPY_LOOP(Bytes)                                                            \
  typedef int64_t Register __attribute__((vector_size(Bytes)));                            \
  const auto* const source = reinterpret_cast<const Register*>(from);                      \
  auto* const target = reinterpret_cast<Register*>(to);                                    \
  for (int64_t i = 0; i < bytes / Bytes; i += 8) {                                         \
    _Pragma("GCC unroll 8") for (int j = 0; j < 8; ++j) { target[i + j] = source[i + j]; } \
  }

#if defined(__x86_64__)
__attribute__((target("avx512f"), noinline)) void read_wide(const char* from, int64_t bytes) { UNROLL_READ_LOOP(64); }
__attribute__((target("avx512f"), noinline)) void copy_wide(const char* from, char* to, int64_t bytes) {
  UNROLL_COPY_LOOP(64);
}
__attribute__((target("avx2"), noinline)) void read_narrow(const char* from, int64_t bytes) { UNROLL_READ_LOOP(32); }
__attribute__((target("avx2"), noinline)) void copy_narrow(const char* from, char* to, int64_t bytes) {
  UNROLL_COPY_LOOP(32);
}
#else
__attribute__((noinline)) void read_narrow(const char* from, int64_t bytes) { UNROLL_READ_LOOP(16); }
__attribute__((noinline)) void copy_narrow(const char* from, char* to, int64_t bytes) { UNROLL_COPY_LOOP(16); }
void read_wide(const char* from, int64_t bytes) { read_narrow(from, bytes); }
void copy_wide(const char* from, char* to, int64_t bytes) { copy_narrow(from, to, bytes); }
#endif

void read(const char* from, int64_t bytes) { is_wide ? read_wide(from, bytes) : read_narrow(from, bytes); }

void copy(const char* from, char* to, int64_t bytes) {
  is_wide ? copy_wide(from, to, bytes) : copy_narrow(from, to, bytes);
}

/// The best rate of `rounds`: units done by all threads together over the time from the common start to the last
/// thread's end. `work(thread)` does `units` of it.
double best_rate(int rounds, int threads, double units, const std::function<void(int)>& work) {
  const double once = bench::best_time(2, [&] { work(0); });
  const int repeats = std::max(1, static_cast<int>(kRoundSeconds / once));
  double best = 0.0;
  for (int round = 0; round < rounds; ++round) {
    std::atomic<int> ready{0};
    const auto part = [&](int thread) {
      work(thread);  // brings the data into the cache
      ready.fetch_add(1);
      while (ready.load() < threads) {
      }
      for (int i = 0; i < repeats; ++i) work(thread);
    };
    std::vector<std::thread> others;
    for (int thread = 1; thread < threads; ++thread) others.emplace_back(part, thread);
    work(0);
    ready.fetch_add(1);
    while (ready.load() < threads) {
    }
    const double start = bench::seconds();
    for (int i = 0; i < repeats; ++i) work(0);
    for (std::thread& other : others) other.join();
    best = std::max(best, threads * repeats * units / (bench::seconds() - start));
  }
  return best;
}

void print(const char* name, int threads, double value, const char* unit) {
  std::printf("%-10s %d %8.1f %s\n", name, threads, value * 1e-9, unit);
  std::fflush(stdout);
}

int64_t cache_size(int name, int64_t otherwise) {
  const int64_t size = sysconf(name);
  return size > 0 ? size : otherwise;
}

struct Block {
  explicit Block(int64_t size) : data(static_cast<char*>(std::aligned_alloc(kAlignment, size)), std::free) {
    std::memset(data.get(), 1, size);
  }
  std::unique_ptr<char, void (*)(void*)> data;
};

/// Bandwidth of the level of memory that holds `bytes` a thread.
void measure_level(const char* level, int64_t bytes) {
  bytes = bytes / (16 * kAlignment) * (16 * kAlignment);
  const Block blocks[] = {Block(bytes), Block(bytes)};
  const int64_t half = bytes / 2;
  for (int threads = 1; threads <= 2; ++threads) {
    print((std::string("read_") + level).c_str(), threads,
          best_rate(kRounds, threads, static_cast<double>(bytes),
                    [&](int thread) { read(blocks[thread].data.get(), bytes); }),
          "GB/s");
    print((std::string("copy_") + level).c_str(), threads,
          best_rate(kRounds, threads, static_cast<double>(bytes),
                    [&](int thread) {
                      char* const data = blocks[thread].data.get();
                      copy(data, data + half, half);
                    }),
          "GB/s");
  }
}

}  // namespace

/// Takes `avx2` to leave AVX-512 out.
int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "avx2") is_wide = false;
  const int64_t l1 = cache_size(_SC_LEVEL1_DCACHE_SIZE, 32 << 10);
  const int64_t l2 = cache_size(_SC_LEVEL2_CACHE_SIZE, 512 << 10);
  // A virtual machine may be told the sum of its host's third levels, and shares what it has.
  const int64_t l3 = std::min(cache_size(_SC_LEVEL3_CACHE_SIZE, 8 << 20), int64_t{32} << 20);
  std::printf("size_l1    1 %8ld bytes\nsize_l2    1 %8ld bytes\nsize_l3    1 %8ld bytes\n", l1, l2, l3);
#if defined(__x86_64__)
  const auto run_fmas = is_wide ? bench::run_avx512_fmas : bench::run_avx2_fmas;
  for (int threads = 1; threads <= 2; ++threads) {
    const double operations = 2.0 * (is_wide ? 16 : 8) * bench::kPeakChains * bench::kPeakSteps;
    print("fma_peak", threads, best_rate(kPeakRounds, threads, operations, [&](int) { run_fmas(); }), "GFLOP/s");
  }
#endif
  measure_level("l1", l1 / 2);
  measure_level("l2/4", l2 / 4);  // Zen 5 reads half of its L2 a quarter faster than a quarter of it
  measure_level("l2", l2 / 2);
  measure_level("l3", std::max(4 * l2, l3 / 8));
  measure_level("dram", std::max(4 * l3, int64_t{64} << 20));
  return 0;
}
