#include "runtime/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <new>

#include "runtime/floating_point.h"
#include "runtime/memory.h"

namespace unroll {
namespace {

struct Release {
  void operator()(float* block) const { release(block); }
};

/// This thread's scratch, allocated at its first use and freed when the thread ends; null if there is no memory.
float* scratch_of_thread() noexcept {
  thread_local std::unique_ptr<float, Release> memory;
  if (!memory) memory.reset(static_cast<float*>(allocate(kScratchFloats * static_cast<int64_t>(sizeof(float)))));
  return memory.get();
}

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// How long a thread looks for what it waits for before it sleeps: not much longer than it would take to wake it, which
/// is 30 to 70 us on a virtual machine of Zen 3.
constexpr std::chrono::microseconds kSpinTime{100};

/// Whether the condition came to hold within kSpinTime.
template <class Condition>
bool spin_until(const Condition& condition) {
  constexpr int kPausesBetweenLooksAtClock = 16;
  const auto end = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < kPausesBetweenLooksAtClock; ++i) {
      if (condition()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return condition();
}

}  // namespace

/// Pauses, some microseconds, after which a thread that waits for another does something else.
constexpr int kPatience = 200;

struct ThreadPool::Job {
  Task task;
  void* context;
  std::atomic<int> helpers{0};  // changed under the mutex; read by the caller that waits for 0

  Job(Task job_task, void* job_context) : task(job_task), context(job_context) {}
  virtual bool has_tasks() const = 0;
  /// By one of the threads: the caller is 0, workers have the numbers from 1 on.
  virtual void run_tasks(int thread, float* memory) = 0;

 protected:
  ~Job() = default;
};

/// The tasks are dealt out in ranges, one a thread, and in every call like this the same range to the same thread: what
/// it reads and writes may still be in its cache. Who has ended its own helps with the others.
struct ThreadPool::TaskJob final : Job {
  struct alignas(64) Share {
    std::atomic<int64_t> next;
    int64_t end;
  };

  static constexpr int64_t kMostShares = 16;

  const int64_t share_count;
  Share shares[kMostShares];

  TaskJob(int64_t tasks, int width, Task job_task, void* job_context)
      : Job(job_task, job_context), share_count(std::min<int64_t>({tasks, width, kMostShares})) {
    for (int64_t i = 0; i < share_count; ++i) {
      shares[i].next.store(tasks * i / share_count, std::memory_order_relaxed);
      shares[i].end = tasks * (i + 1) / share_count;
    }
  }

  bool has_tasks() const override {
    return std::any_of(shares, shares + share_count,
                       [](const Share& share) { return share.next.load(std::memory_order_relaxed) < share.end; });
  }

  void run_tasks(int thread, float* memory) override {
    for (int64_t i = 0; i < share_count; ++i) {
      Share& share = shares[(thread + i) % share_count];
      for (int64_t index; (index = share.next.fetch_add(1, std::memory_order_relaxed)) < share.end;) {
        task(context, index, memory);
      }
    }
  }
};

/// A thread claims its slices of the phase under way, then waits for the others; what nobody has claimed for a while it
/// takes too, so a thread that never comes, or is away, holds nobody up unless it is away within a slice.
struct ThreadPool::PhaseJob final : Job {
  struct alignas(64) Claim {
    std::atomic<int64_t> phases{0};  // of this slice that are claimed
  };

  const int64_t phases, slices;
  alignas(64) std::atomic<int64_t> done{0};  // slices, of all phases
  alignas(64) std::atomic<int64_t> members{0};
  Claim claims[kMostSlices];

  PhaseJob(int64_t phase_count, int64_t slice_count, Task job_task, void* job_context)
      : Job(job_task, job_context), phases(phase_count), slices(slice_count) {}

  bool has_tasks() const override {
    return done.load(std::memory_order_relaxed) < phases * slices && members.load(std::memory_order_relaxed) < slices;
  }

  void run_tasks(int, float* memory) override {
    const int64_t member = members.fetch_add(1, std::memory_order_relaxed);
    for (int64_t phase; (phase = done.load(std::memory_order_acquire) / slices) < phases;) {
      const int64_t step = std::min(members.load(std::memory_order_relaxed), slices);
      for (int64_t slice = member; slice < slices; slice += step) run_slice(phase, slice, memory);
      if (ended(phase, kPatience)) continue;
      for (int64_t slice = 0; slice < slices; ++slice) run_slice(phase, slice, memory);
      if (!ended(phase, kPatience)) std::this_thread::yield();
    }
  }

 private:
  void run_slice(int64_t phase, int64_t slice, float* memory) {
    int64_t claimed = phase;
    if (!claims[slice].phases.compare_exchange_strong(claimed, phase + 1, std::memory_order_relaxed)) return;
    task(context, phase * slices + slice, memory);
    done.fetch_add(1, std::memory_order_acq_rel);
  }

  bool ended(int64_t phase, int pauses) const {
    for (int i = 0; i < pauses; ++i) {
      if (done.load(std::memory_order_acquire) >= (phase + 1) * slices) return true;
      pause();
    }
    return false;
  }
};

/// A thread takes the part that is ready and has the fewest before it, in the lane that it was in if it can: so threads
/// go through the lanes side by side, as a wave, and what a lane reads stays in a thread's cache.
struct ThreadPool::LaneJob final : Job {
  struct alignas(64) Lane {
    std::atomic<int64_t> claimed{0}, ended{0};  // parts
  };
  struct Part {
    int64_t lane, part;
  };

  const int64_t lane_count, parts;
  std::atomic<int64_t> members{0};
  Lane lanes[kMostLanes];

  LaneJob(int64_t count, int64_t parts_of_lane, Task job_task, void* job_context)
      : Job(job_task, job_context), lane_count(count), parts(parts_of_lane) {}

  bool has_tasks() const override { return !ended() && members.load(std::memory_order_relaxed) < lane_count; }

  void run_tasks(int, float* memory) override {
    members.fetch_add(1, std::memory_order_relaxed);
    int64_t lane = 0;
    for (int waits = 0; !ended();) {
      const Part ready = ready_part(lane);
      if (ready.lane < lane_count) {
        lane = ready.lane;
        run_part(ready, memory);
        waits = 0;
      } else if (++waits < kPatience) {
        pause();
      } else {
        std::this_thread::yield();
      }
    }
  }

 private:
  /// The last lane ends last.
  bool ended() const { return lanes[lane_count - 1].ended.load(std::memory_order_acquire) == parts; }

  /// The part that should run next, of no lane if none can.
  Part ready_part(int64_t own_lane) const {
    Part best{lane_count, 0};
    for (int64_t l = 0; l < lane_count; ++l) {
      const int64_t part = lanes[l].ended.load(std::memory_order_acquire);
      if (part == parts || lanes[l].claimed.load(std::memory_order_relaxed) > part) continue;
      if (l > 0 && lanes[l - 1].ended.load(std::memory_order_acquire) <= part) continue;
      const int64_t later = l + part - (best.lane + best.part);
      if (best.lane == lane_count || later < 0 || (later == 0 && l == own_lane)) best = {l, part};
    }
    return best;
  }

  /// Runs a part that is ready, unless another thread has taken it meanwhile.
  void run_part(Part ready, float* memory) {
    Lane& lane = lanes[ready.lane];
    int64_t claimed = ready.part;
    if (!lane.claimed.compare_exchange_strong(claimed, claimed + 1, std::memory_order_relaxed)) return;
    task(context, ready.lane * parts + ready.part, memory);
    lane.ended.store(ready.part + 1, std::memory_order_release);
  }
};

ThreadPool::ThreadPool(int width)
    : width_(std::max(width, 1)), processors_(static_cast<int>(std::thread::hardware_concurrency())) {
  start_workers(width_ - 1);
}

ThreadPool::~ThreadPool() { stop_workers(); }

void ThreadPool::start_workers(int count) {
  {
    std::lock_guard lock(mutex_);
    wanted_workers_ = count;
  }
  for (int i = static_cast<int>(workers_.size()); i < count; ++i) workers_.emplace_back([this, i] { work(i); });
}

void ThreadPool::stop_workers() {
  {
    std::lock_guard lock(mutex_);
    wanted_workers_ = 0;
  }
  work_or_stop_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

void ThreadPool::resize(int width) {
  std::lock_guard one_at_a_time(resizing_);
  const int before = width_;
  if (width == before) return;
  stop_workers();
  try {
    start_workers(width - 1);
    width_ = width;
  } catch (...) {
    stop_workers();
    width_ = 1;
    start_workers(before - 1);
    width_ = before;
    throw;
  }
}

ThreadPool::Job* ThreadPool::find_job() {
  if (busy_workers_ + callers_ >= width()) return nullptr;
  const auto job = std::find_if(jobs_.begin(), jobs_.end(), [](const Job* j) { return j->has_tasks(); });
  return job == jobs_.end() ? nullptr : *job;
}

/// Returns when there may be one, or the worker shall stop. A worker that was woken too late for a job looks for the
/// next one before it sleeps again: else it would be too late for each of many short ones.
void ThreadPool::await_job(std::unique_lock<std::mutex>& lock, int index) {
  const int64_t before = posted_jobs_.load(std::memory_order_relaxed);
  const auto posted = [&] { return posted_jobs_.load(std::memory_order_relaxed) != before; };
  // Nobody spins on a processor that another may need.
  if (busy_workers_ + callers_ + spinning_workers_ < std::min(width(), processors_)) {
    ++spinning_workers_;
    lock.unlock();
    spin_until(posted);
    lock.lock();
    --spinning_workers_;
  }
  work_or_stop_.wait(lock, [&] { return index >= wanted_workers_ || posted() || find_job() != nullptr; });
}

void ThreadPool::work(int index) {
  set_kernel_floating_point();
  float* const memory = scratch_of_thread();
  if (memory == nullptr) return;  // the callers do all the work themselves
  std::unique_lock lock(mutex_);
  while (index < wanted_workers_) {
    Job* const job = find_job();
    if (job == nullptr) {
      await_job(lock, index);
      continue;
    }
    ++busy_workers_;
    job->helpers.fetch_add(1, std::memory_order_relaxed);
    lock.unlock();
    job->run_tasks(1 + index, memory);
    lock.lock();
    --busy_workers_;
    job->helpers.fetch_sub(1, std::memory_order_release);  // the caller may be gone after this
  }
}

float* ThreadPool::scratch() { return own_scratch(); }

void ThreadPool::run(int64_t tasks, Task task, void* context) {
  float* const memory = own_scratch();
  if (tasks <= 1 || width() == 1) return Alone(memory).run(tasks, task, context);
  TaskJob job(tasks, width(), task, context);
  run(job, memory);
}

void ThreadPool::run_phases(int64_t phases, int64_t slices, Task task, void* context) {
  float* const memory = own_scratch();
  if (slices <= 1 || width() == 1) return Alone(memory).run_phases(phases, slices, task, context);
  PhaseJob job(phases, slices, task, context);
  run(job, memory);
}

void ThreadPool::run_lanes(int64_t lanes, int64_t parts, Task task, void* context) {
  float* const memory = own_scratch();
  if (lanes <= 1 || width() == 1) return Alone(memory).run_lanes(lanes, parts, task, context);
  LaneJob job(lanes, parts, task, context);
  run(job, memory);
}

void ThreadPool::run(Job& job, float* memory) {
  bool wake;
  {
    std::lock_guard lock(mutex_);
    jobs_.push_back(&job);
    posted_jobs_.fetch_add(1, std::memory_order_relaxed);
    ++callers_;
    wake = busy_workers_ + callers_ < width();
  }
  if (wake) work_or_stop_.notify_all();
  job.run_tasks(0, memory);
  bool others_wait;
  {
    std::lock_guard lock(mutex_);
    jobs_.erase(std::find(jobs_.begin(), jobs_.end(), &job));
    --callers_;
    others_wait = !jobs_.empty();
  }
  if (others_wait) work_or_stop_.notify_all();
  while (!spin_until([&] { return job.helpers.load(std::memory_order_acquire) == 0; })) std::this_thread::yield();
}

float* own_scratch() {
  float* const memory = scratch_of_thread();
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

ThreadPool& pool() {
  static ThreadPool* const threads = new ThreadPool(1);
  return *threads;
}

}  // namespace unroll
