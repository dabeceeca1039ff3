#include <atomic>
#include <chrono>
#include <thread>

#include "runtime/memory.h"
#include "test/check.h"

namespace unroll::test {
namespace {

/// Plain memory, as that of kernels: a thread that reads what was not handed over races, which ThreadSanitizer sees.
struct Counts {
  std::vector<int> of_task;
  std::atomic<int> without_scratch{0};

  explicit Counts(size_t tasks) : of_task(tasks) {}

  static void task(void* context, int64_t index, float* scratch) {
    auto& counts = *static_cast<Counts*>(context);
    ++counts.of_task[static_cast<size_t>(index)];
    if (scratch == nullptr || reinterpret_cast<uintptr_t>(scratch) % 64 != 0) counts.without_scratch.fetch_add(1);
    scratch[index % kScratchFloats] = 1.0f;
  }
};

void check_every_task_runs_once(ThreadPool& pool, size_t tasks) {
  Counts counts(tasks);
  pool.run(static_cast<int64_t>(tasks), Counts::task, &counts);
  for (const int count : counts.of_task) check(count == 1, "a task ran " + std::to_string(count) + " times");
  check(counts.without_scratch == 0, "a task had no aligned scratch");
}

/// Slices of phases, which note whether all of the phase before were done.
struct Phases {
  const int64_t slices;
  std::vector<int> of_task;
  std::atomic<int> early{0};

  Phases(int64_t phase_count, int64_t slice_count)
      : slices(slice_count), of_task(static_cast<size_t>(phase_count * slice_count)) {}

  static void task(void* context, int64_t index, float*) {
    auto& phases = *static_cast<Phases*>(context);
    const int64_t start = index / phases.slices * phases.slices;
    for (int64_t before = start - phases.slices; before >= 0 && before < start; ++before) {
      if (phases.of_task[static_cast<size_t>(before)] != 1) phases.early.fetch_add(1);
    }
    ++phases.of_task[static_cast<size_t>(index)];
  }
};

void check_phases(ThreadPool& pool, int64_t phases, int64_t slices) {
  Phases work(phases, slices);
  pool.run_phases(phases, slices, Phases::task, &work);
  for (const int count : work.of_task) check(count == 1, "a slice ran " + std::to_string(count) + " times");
  check(work.early == 0, "a phase began before the one before had ended");
}

/// Parts of lanes, which note whether the part before and that of the lane before were done.
struct Lanes {
  const int64_t parts;
  std::vector<int> of_task;
  std::atomic<int> early{0};

  Lanes(int64_t lane_count, int64_t parts_of_lane)
      : parts(parts_of_lane), of_task(static_cast<size_t>(lane_count * parts_of_lane)) {}

  static void task(void* context, int64_t index, float*) {
    auto& lanes = *static_cast<Lanes*>(context);
    const auto done = [&](int64_t task) { return lanes.of_task[static_cast<size_t>(task)] == 1; };
    if (index % lanes.parts > 0 && !done(index - 1)) lanes.early.fetch_add(1);
    if (index >= lanes.parts && !done(index - lanes.parts)) lanes.early.fetch_add(1);
    ++lanes.of_task[static_cast<size_t>(index)];
  }
};

void check_lanes(ThreadPool& pool, int64_t lanes, int64_t parts) {
  Lanes work(lanes, parts);
  pool.run_lanes(lanes, parts, Lanes::task, &work);
  for (const int count : work.of_task) check(count == 1, "a part ran " + std::to_string(count) + " times");
  check(work.early == 0, "a part began before one that it needs had ended");
}

void check_callers_share(int width, int caller_count) {
  ThreadPool pool(width);
  std::vector<std::thread> callers;
  for (int caller = 0; caller < caller_count; ++caller) {
    callers.emplace_back([&pool, caller] {
      for (size_t round = 0; round < 300; ++round) {
        check_every_task_runs_once(pool, (round + static_cast<size_t>(caller)) % 9);
        check_phases(pool, static_cast<int64_t>(round % 7), 1 + (static_cast<int64_t>(round) + caller) % 4);
        check_lanes(pool, 1 + (static_cast<int64_t>(round) + caller) % 4, static_cast<int64_t>(round % 7));
      }
    });
  }
  for (int round = 0; round < 20; ++round) pool.resize(1 + round % 5);
  for (std::thread& caller : callers) caller.join();
}

/// Jobs that come when workers are about to sleep, or asleep.
void check_pauses(ThreadPool& pool) {
  for (int round = 0; round < 60; ++round) {
    std::this_thread::sleep_for(std::chrono::microseconds(round % 6 * 30));
    check_every_task_runs_once(pool, 9);
    check_phases(pool, 5, 3);
    check_lanes(pool, 3, 5);
  }
}

/// Whether the threads of a pool that was made by a thread in another state compute as kernels expect.
void check_floating_point() {
  struct Seen {
    std::atomic<int> arrived{0}, wrong{0};

    static void task(void* context, int64_t, float*) {
      auto& seen = *static_cast<Seen*>(context);
      const volatile float tiny = 0x1p-126f;
      const volatile float half = tiny * 0.5f;
      if (half != 0.0f) seen.wrong.fetch_add(1);
      seen.arrived.fetch_add(1);
      const auto start = std::chrono::steady_clock::now();  // so that each has a thread of its own
      while (seen.arrived.load() < 2 && std::chrono::steady_clock::now() - start < std::chrono::seconds(10)) {
      }
    }
  };
  ThreadPool pool(2);
  Seen seen;
  {
    const FlushDenormals scope;
    pool.run(2, Seen::task, &seen);
  }
  check(seen.wrong == 0, "a thread of the pool keeps denormal numbers");
}

}  // namespace
}  // namespace unroll::test

int main() {
  using namespace unroll::test;
  for (const int width : {1, 2, 3, 8}) {
    unroll::ThreadPool pool(width);
    check(pool.width() == width, "width");
    for (const size_t tasks : {0, 1, 2, 3, 7, 100}) check_every_task_runs_once(pool, tasks);
    for (const int64_t slices : {1, 2, 3, 16}) check_phases(pool, 1000, slices);
    for (const int64_t lanes : {1, 2, 3, 32}) check_lanes(pool, lanes, 1000);
    check_pauses(pool);
    for (const int callers : {1, 4}) check_callers_share(width, callers);
  }
  check_floating_point();
  check(unroll::allocate(INT64_MAX) == nullptr, "an impossible size gives null");
  return finish("thread_pool");
}
