/// Prints what it costs two threads to meet: a line handed to the other core and back, and what a job of the pool takes
/// beyond its tasks, two that wait for nobody or two slices in phases, for tasks of different lengths. Medians. Where
/// the cores have an L3 each all is several times slower, and a virtual machine may be moved there and back.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

#include "runtime/thread_pool.h"

namespace {

constexpr int kRounds = 3000;
constexpr int64_t kPhases = 20;

template <class Body>
double median_microseconds(const Body& body) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = Clock::now();
    body();
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + kRounds / 2, times.end());
  return times[kRounds / 2];
}

/// Round trips of a line between two threads that do nothing else.
double round_trip_nanoseconds() {
  constexpr int kTrips = 100;
  alignas(64) std::atomic<int64_t> line{0};
  const auto answer = [&line] {
    for (int64_t turn = 1; turn < int64_t{2} * kTrips * kRounds; turn += 2) {
      while (line.load(std::memory_order_acquire) != turn) {
      }
      line.store(turn + 1, std::memory_order_release);
    }
  };
  std::thread other(answer);
  int64_t turn = 0;
  const double trips = median_microseconds([&] {
    for (int trip = 0; trip < kTrips; ++trip, turn += 2) {
      line.store(turn + 1, std::memory_order_release);
      while (line.load(std::memory_order_acquire) != turn + 2) {
      }
    }
  });
  other.join();
  return 1000.0 * trips / kTrips;
}

/// Additions that wait for each other.
void add(void* count, int64_t, float* scratch) {
  float sum = scratch[0];
  for (int i = 0; i < *static_cast<const int*>(count); ++i) {
    sum += 1.0f;
    asm volatile("" : "+m"(sum));
  }
}

void measure(unroll::ThreadPool& pool, int count) {
  float* const scratch = pool.scratch();
  const double task = median_microseconds([&] { add(&count, 0, scratch); });
  const double tasks = median_microseconds([&] { pool.run(2, add, &count); });
  const double two = median_microseconds([&] { pool.run_phases(2, 2, add, &count); });
  const double many = median_microseconds([&] { pool.run_phases(kPhases, 2, add, &count); });
  std::printf("a task of %6.2f us: two tasks +%5.2f us, two phases +%5.2f us, and each phase more +%5.2f us\n", task,
              tasks - task, two - 2 * task, (many - two) / (kPhases - 2) - task);
}

}  // namespace

int main() {
  if (std::thread::hardware_concurrency() < 2) {
    std::fprintf(stderr, "two threads can only meet on two processors\n");
    return 1;
  }
  std::printf("a line to the other core and back: %.0f ns\n", round_trip_nanoseconds());
  unroll::ThreadPool pool(2);
  for (const int count : {50, 200, 800, 3200}) measure(pool, count);
  return 0;
}
