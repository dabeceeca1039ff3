#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "kernels/parallel.h"

namespace unroll {

struct Job;

/// The threads of the process. A caller works on its own call; idle workers help. With several callers at once a
/// worker takes up a job only while callers and busy workers together are fewer than the width, so that the processors
/// are hardly over-subscribed; a job that has begun keeps its workers to its end.
class ThreadPool final : public Parallel {
 public:
  explicit ThreadPool(int width);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int width() const override { return width_.load(std::memory_order_relaxed); }

  /// Throws std::bad_alloc if there is no memory for it.
  float* scratch() override;

  /// Stops all workers, after the jobs that they are at, and starts others.
  /// Throws std::system_error if the operating system gives no thread; the width is then what it was.
  void resize(int width);

  /// Throws std::bad_alloc if there is no memory for the caller's scratch; nothing has run then.
  void run(int64_t tasks, Task task, void* context) override;

  /// The same for phases. Whoever comes to help takes slices from the phase that is under way on; no phase needs a
  /// certain number of threads.
  void run_phases(int64_t phases, int64_t slices, Task task, void* context) override;

  /// The same for lanes.
  void run_lanes(int64_t lanes, int64_t parts, Task task, void* context) override;

 private:
  struct Worker;
  struct Posted;

  void work(int index, Worker& self);
  Job* next_job(std::unique_lock<std::mutex>& lock, int index, Worker& self);
  static Job* await_offer(const Worker& self);
  void sleep(std::unique_lock<std::mutex>& lock, int index, Worker& self);
  void run(Job& job, float* memory);
  void start_workers(int count);
  void stop_workers();
  int busy_workers() const;
  bool offer(Posted& posted);
  Job* join_job(Worker& self);
  bool crowded() const;
  void note_changes();

  std::atomic<int> width_;
  const int processors_;
  /// Tells a worker that has ended a job not to wait for the next one, but to see under the mutex what is there:
  /// several callers, or no processor for it, or it shall stop. On a line of its own, which hardly ever changes.
  alignas(64) std::atomic<bool> look_around_{false};
  alignas(64) std::mutex mutex_;  // guards everything below, and what a worker says of itself
  std::condition_variable work_or_stop_;
  std::vector<Posted*> posted_;
  int64_t posted_ever_ = 0;
  int callers_ = 0, awake_workers_ = 0, wanted_workers_ = 0;
  std::vector<std::unique_ptr<Worker>> workers_;  // never fewer: a caller may still look at one
  std::mutex resizing_;
  std::vector<std::thread> threads_;
};

/// The scratch of the calling thread, for kernels that it runs alone. Throws std::bad_alloc if there is no memory for
/// it.
float* own_scratch();

/// The pool of the process. It is never destroyed: its threads may outlive static destructors.
ThreadPool& pool();

}  // namespace unroll
