#pragma once

/// What callers post to the thread pool: tasks, and how the threads that work on them take turns.

#include <algorithm>
#include <atomic>
#include <thread>

#include "kernels/parallel.h"

namespace unroll {

inline void pause_thread() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Pauses, some microseconds, after which a thread that waits for another does something else.
constexpr int kPatience = 200;

/// Threads that can work on one job.
constexpr int64_t kMostPlaces = 256;

struct Job {
  const Parallel::Task task;
  void* const context;
  const int64_t places;             ///< for threads that can work on it
  std::atomic<int64_t> members{1};  ///< threads that do or have done; the caller is number 0

  Job(Parallel::Task job_task, void* job_context, int64_t place_count)
      : task(job_task), context(job_context), places(place_count) {}

  bool has_room() const { return members.load(std::memory_order_relaxed) < places && has_tasks(); }
  virtual bool has_tasks() const = 0;
  virtual void run_tasks(int64_t member, float* memory) = 0;

 protected:
  ~Job() = default;
};

/// The tasks are dealt out in ranges, one a thread, and in every call like this the same range to the same thread: what
/// it reads and writes may still be in its cache. Who has ended its own helps with the others.
struct TaskJob final : Job {
  static constexpr int64_t kMostShares = 64;

  struct alignas(64) Share {
    std::atomic<int64_t> next;
    int64_t end;
  };

  const int64_t share_count;
  Share shares[kMostShares];

  TaskJob(int64_t tasks, int width, Parallel::Task job_task, void* job_context)
      : Job(job_task, job_context, std::min<int64_t>({tasks, width, kMostPlaces})),
        share_count(std::min(places, kMostShares)) {
    for (int64_t i = 0; i < share_count; ++i) {
      shares[i].next.store(tasks * i / share_count, std::memory_order_relaxed);
      shares[i].end = tasks * (i + 1) / share_count;
    }
  }

  bool has_tasks() const override {
    return std::any_of(shares, shares + share_count,
                       [](const Share& share) { return share.next.load(std::memory_order_relaxed) < share.end; });
  }

  void run_tasks(int64_t member, float* memory) override {
    for (int64_t i = 0; i < share_count; ++i) {
      Share& share = shares[(member + i) % share_count];
      for (int64_t index; (index = share.next.fetch_add(1, std::memory_order_relaxed)) < share.end;) {
        task(context, index, memory);
      }
    }
  }
};

/// A thread claims its slices of the phase under way, then waits for the others; what nobody has claimed for a while it
/// takes too, so a thread that never comes, or is away, holds nobody up unless it is away within a slice.
struct PhaseJob final : Job {
  struct alignas(64) Claim {
    std::atomic<int64_t> phases{0};  // of this slice that are claimed
  };

  const int64_t phases;
  alignas(64) std::atomic<int64_t> done{0};  // slices, of all phases
  Claim claims[kMostSlices];

  PhaseJob(int64_t phase_count, int64_t slices, Parallel::Task job_task, void* job_context)
      : Job(job_task, job_context, slices), phases(phase_count) {}

  bool has_tasks() const override { return done.load(std::memory_order_relaxed) < phases * places; }

  void run_tasks(int64_t member, float* memory) override {
    for (int64_t phase; (phase = done.load(std::memory_order_acquire) / places) < phases;) {
      const int64_t step = members.load(std::memory_order_relaxed);
      for (int64_t slice = member; slice < places; slice += step) run_slice(phase, slice, memory);
      if (ended(phase, kPatience)) continue;
      for (int64_t slice = 0; slice < places; ++slice) run_slice(phase, slice, memory);
      if (!ended(phase, kPatience)) std::this_thread::yield();
    }
  }

 private:
  void run_slice(int64_t phase, int64_t slice, float* memory) {
    int64_t claimed = phase;
    if (!claims[slice].phases.compare_exchange_strong(claimed, phase + 1, std::memory_order_relaxed)) return;
    task(context, phase * places + slice, memory);
    done.fetch_add(1, std::memory_order_acq_rel);
  }

  bool ended(int64_t phase, int pauses) const {
    for (int i = 0; i < pauses; ++i) {
      if (done.load(std::memory_order_acquire) >= (phase + 1) * places) return true;
      pause_thread();
    }
    return false;
  }
};

/// A thread takes the part that is ready and has the fewest before it, in the lane that it was in if it can: so threads
/// go through the lanes side by side, as a wave, and what a lane reads stays in a thread's cache.
struct LaneJob final : Job {
  struct alignas(64) Lane {
    std::atomic<int64_t> claimed{0}, ended{0};  // parts
  };
  struct Part {
    int64_t lane, part;
  };

  const int64_t parts;
  Lane lanes[kMostLanes];

  LaneJob(int64_t lane_count, int64_t parts_of_lane, Parallel::Task job_task, void* job_context)
      : Job(job_task, job_context, lane_count), parts(parts_of_lane) {}

  bool has_tasks() const override { return !ended(); }

  void run_tasks(int64_t, float* memory) override {
    int64_t lane = 0;
    for (int waits = 0; !ended();) {
      const Part ready = ready_part(lane);
      if (ready.lane < places) {
        lane = ready.lane;
        run_part(ready, memory);
        waits = 0;
      } else if (++waits < kPatience) {
        pause_thread();
      } else {
        std::this_thread::yield();
      }
    }
  }

 private:
  /// The last lane ends last.
  bool ended() const { return lanes[places - 1].ended.load(std::memory_order_acquire) == parts; }

  /// The part that should run next, of no lane if none can.
  Part ready_part(int64_t own_lane) const {
    Part best{places, 0};
    for (int64_t l = 0; l < places; ++l) {
      const int64_t part = lanes[l].ended.load(std::memory_order_acquire);
      if (part == parts || lanes[l].claimed.load(std::memory_order_relaxed) > part) continue;
      if (l > 0 && lanes[l - 1].ended.load(std::memory_order_acquire) <= part) continue;
      const int64_t later = l + part - (best.lane + best.part);
      if (best.lane == places || later < 0 || (later == 0 && l == own_lane)) best = {l, part};
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

}  // namespace unroll
