#include "runtime/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <new>

#include "runtime/floating_point.h"
#include "runtime/jobs.h"
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
      pause_thread();
    }
  } while (std::chrono::steady_clock::now() < end);
  return condition();
}

}  // namespace

/// What a worker and those who offer it jobs know of each other, on a line of its own: a job goes from one core to
/// another with a single line.
struct alignas(64) ThreadPool::Worker {
  std::atomic<Job*> job{nullptr};  // that it works on, or shall; only the worker itself makes it null
  int64_t member = 0;              // of the job
  bool asleep = true;              // or not there: then nobody offers it a job
};

/// A job that its caller has posted, and the workers that have ever worked on it.
struct ThreadPool::Posted {
  Job& job;
  int64_t helper_count = 0;
  Worker* helpers[kMostPlaces - 1];

  explicit Posted(Job& posted_job) : job(posted_job) {}

  void add(Worker& worker, int64_t member) {
    helpers[helper_count++] = &worker;
    worker.member = member;
    worker.job.store(&job, std::memory_order_release);
  }
};

ThreadPool::ThreadPool(int width)
    : width_(std::max(width, 1)), processors_(static_cast<int>(std::thread::hardware_concurrency())) {
  start_workers(width_ - 1);
}

ThreadPool::~ThreadPool() { stop_workers(); }

void ThreadPool::start_workers(int count) {
  std::lock_guard lock(mutex_);
  while (static_cast<int>(workers_.size()) < count) workers_.push_back(std::make_unique<Worker>());
  wanted_workers_ = count;
  note_changes();
  for (int i = static_cast<int>(threads_.size()); i < count; ++i) {
    threads_.emplace_back([this, i, &self = *workers_[static_cast<size_t>(i)]] { work(i, self); });
  }
}

void ThreadPool::stop_workers() {
  {
    std::lock_guard lock(mutex_);
    wanted_workers_ = 0;
    note_changes();
  }
  work_or_stop_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void ThreadPool::resize(int width) {
  std::lock_guard one_at_a_time(resizing_);
  const int before = width_;
  const bool complete = static_cast<int>(threads_.size()) == before - 1;  // not if the last change failed twice
  if (width == before && complete) return;
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

int ThreadPool::busy_workers() const {
  return static_cast<int>(std::count_if(workers_.begin(), workers_.end(), [](const auto& worker) {
    return worker->job.load(std::memory_order_relaxed) != nullptr;
  }));
}

/// Whether there are more threads than processors, or than the width.
bool ThreadPool::crowded() const { return callers_ + awake_workers_ > std::min(width(), processors_); }

void ThreadPool::note_changes() {
  const bool now = callers_ > 1 || crowded() || awake_workers_ > wanted_workers_;
  if (look_around_.load(std::memory_order_relaxed) != now) look_around_.store(now, std::memory_order_relaxed);
}

/// To workers that are awake and look for a job, the same ones every time. Returns whether others should be woken.
bool ThreadPool::offer(Posted& posted) {
  const int64_t wanted = std::min<int64_t>(posted.job.places - 1, width() - callers_ - busy_workers());
  Worker* free[kMostPlaces - 1];
  int64_t count = 0;
  bool others_sleep = false;
  for (int i = 0; i < wanted_workers_ && count < wanted; ++i) {
    Worker& worker = *workers_[static_cast<size_t>(i)];
    if (worker.asleep) {
      others_sleep = true;
    } else if (worker.job.load(std::memory_order_acquire) == nullptr) {
      free[count++] = &worker;
    }
  }
  posted.job.members.store(1 + count, std::memory_order_relaxed);
  for (int64_t i = 0; i < count; ++i) posted.add(*free[i], 1 + i);
  return others_sleep && count < wanted;
}

/// A posted job with room for one more, if there may be one more; the worker then works on it.
Job* ThreadPool::join_job(Worker& self) {
  if (busy_workers() + callers_ >= width()) return nullptr;
  const auto found = std::find_if(posted_.begin(), posted_.end(), [](const Posted* p) { return p->job.has_room(); });
  if (found == posted_.end()) return nullptr;
  (*found)->add(self, (*found)->job.members.fetch_add(1, std::memory_order_relaxed));
  return &(*found)->job;
}

/// A job that is offered soon; null if there is none.
Job* ThreadPool::await_offer(const Worker& self) {
  spin_until([&] { return self.job.load(std::memory_order_relaxed) != nullptr; });
  return self.job.load(std::memory_order_acquire);
}

/// Returns when there may be a job, or the worker shall stop. A worker that was woken too late for a job looks for the
/// next one before it sleeps again: else it would be too late for each of many short ones.
void ThreadPool::sleep(std::unique_lock<std::mutex>& lock, int index, Worker& self) {
  const int64_t before = posted_ever_;
  self.asleep = true;
  --awake_workers_;
  note_changes();
  work_or_stop_.wait(lock, [&] { return index >= wanted_workers_ || posted_ever_ != before; });
  self.asleep = false;
  ++awake_workers_;
  note_changes();
}

/// Null if the worker shall stop. Nobody spins on a processor that another may need.
Job* ThreadPool::next_job(std::unique_lock<std::mutex>& lock, int index, Worker& self) {
  for (bool waited = false;;) {
    if (Job* const offered = self.job.load(std::memory_order_acquire)) return offered;
    if (index >= wanted_workers_) return nullptr;
    if (Job* const joined = join_job(self)) return joined;
    if (waited || crowded()) {
      sleep(lock, index, self);
      waited = false;
    } else {
      lock.unlock();
      await_offer(self);
      lock.lock();
      waited = true;
    }
  }
}

void ThreadPool::work(int index, Worker& self) {
  set_kernel_floating_point();
  float* const memory = scratch_of_thread();
  if (memory == nullptr) return;  // the callers do all the work themselves
  std::unique_lock lock(mutex_);
  self.asleep = false;
  ++awake_workers_;
  note_changes();
  while (Job* job = next_job(lock, index, self)) {
    lock.unlock();
    do {
      job->run_tasks(self.member, memory);
      self.job.store(nullptr, std::memory_order_release);  // the caller may be gone after this
      job = look_around_.load(std::memory_order_relaxed) ? nullptr : await_offer(self);
    } while (job != nullptr);
    lock.lock();
  }
  self.asleep = true;
  --awake_workers_;
  note_changes();
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
  Posted posted(job);
  bool wake;
  {
    std::lock_guard lock(mutex_);
    posted_.push_back(&posted);
    ++posted_ever_;
    ++callers_;
    note_changes();
    wake = offer(posted);
  }
  if (wake) work_or_stop_.notify_all();
  job.run_tasks(0, memory);
  bool others_wait;
  {
    std::lock_guard lock(mutex_);
    posted_.erase(std::find(posted_.begin(), posted_.end(), &posted));
    --callers_;
    note_changes();
    others_wait = !posted_.empty();
    if (others_wait) ++posted_ever_;
  }
  if (others_wait) work_or_stop_.notify_all();
  for (int64_t i = 0; i < posted.helper_count; ++i) {
    const std::atomic<Job*>& of_helper = posted.helpers[i]->job;
    while (!spin_until([&] { return of_helper.load(std::memory_order_acquire) != &job; })) std::this_thread::yield();
  }
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
