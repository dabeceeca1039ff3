#include "runtime/thread_pool.h"

#include <algorithm>
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
float* scratch() noexcept {
  thread_local std::unique_ptr<float, Release> memory;
  if (!memory) memory.reset(static_cast<float*>(allocate(kScratchFloats * static_cast<int64_t>(sizeof(float)))));
  return memory.get();
}

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Waits a few tens of microseconds at most: longer than the gaps between the kernels of one pass, shorter than anybody
/// else would notice.
template <class Condition>
bool spin_until(const Condition& condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    pause();
  }
  return condition();
}

}  // namespace

struct ThreadPool::Job {
  Task task;
  void* context;
  int64_t tasks;
  std::atomic<int64_t> next{0};
  std::atomic<int> helpers{0};  // changed under the mutex; read by the caller that waits for 0

  bool has_tasks() const { return next.load(std::memory_order_relaxed) < tasks; }

  void run_tasks(float* memory) {
    for (int64_t index; (index = next.fetch_add(1, std::memory_order_relaxed)) < tasks;) task(context, index, memory);
  }
};

ThreadPool::ThreadPool(int width) : width_(std::max(width, 1)) { start_workers(width_ - 1); }

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

void ThreadPool::work(int index) {
  set_kernel_floating_point();
  float* const memory = scratch();
  if (memory == nullptr) return;  // the callers do all the work themselves
  std::unique_lock lock(mutex_);
  while (index < wanted_workers_) {
    Job* const job = find_job();
    if (job == nullptr) {
      lock.unlock();
      const bool seen = spin_until([this] { return waiting_jobs_.load(std::memory_order_relaxed) > 0; });
      lock.lock();
      if (!seen || find_job() == nullptr) {
        work_or_stop_.wait(lock, [&] { return index >= wanted_workers_ || find_job() != nullptr; });
      }
      continue;
    }
    ++busy_workers_;
    job->helpers.fetch_add(1, std::memory_order_relaxed);
    lock.unlock();
    job->run_tasks(memory);
    lock.lock();
    --busy_workers_;
    job->helpers.fetch_sub(1, std::memory_order_release);  // the caller may be gone after this
  }
}

void ThreadPool::run(int64_t tasks, Task task, void* context) {
  float* const memory = scratch();
  if (memory == nullptr) throw std::bad_alloc();
  Job job{task, context, tasks};
  if (tasks <= 1 || width() == 1) return job.run_tasks(memory);

  bool wake;
  {
    std::lock_guard lock(mutex_);
    jobs_.push_back(&job);
    ++callers_;
    wake = busy_workers_ + callers_ < width();
  }
  waiting_jobs_.fetch_add(1, std::memory_order_relaxed);
  if (wake) work_or_stop_.notify_all();
  job.run_tasks(memory);
  waiting_jobs_.fetch_sub(1, std::memory_order_relaxed);
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

ThreadPool& pool() {
  static ThreadPool* const threads = new ThreadPool(1);
  return *threads;
}

}  // namespace unroll
