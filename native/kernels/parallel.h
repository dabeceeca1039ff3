#pragma once

/// What kernels know of threads: somebody who runs their tasks.

#include <cstdint>

namespace unroll {

/// Every thread that runs tasks owns this much 64-byte aligned scratch memory, so that kernels allocate nothing:
/// what the weight gradients want with AVX-512.
constexpr int64_t kScratchFloats = 448 * 1024;
/// What of it is read again stays in L2 up to so much.
constexpr int64_t kNearScratchFloats = 144 * 1024;

constexpr int64_t kMostSlices = 16;
constexpr int64_t kMostLanes = 32;

/// Operations of a recurrent pass from which threads may divide it; it is over too soon with fewer.
constexpr int64_t kWorthDividing = 200'000;

/// What kernels know of threads. Tasks must write disjoint outputs; which thread runs which task is not determined, so
/// a result may not depend on it.
class Parallel {
 public:
  using Task = void (*)(void* context, int64_t index, float* scratch);

  /// Threads that may work on one call, the caller included; at least 1.
  virtual int width() const = 0;
  /// The scratch memory of the calling thread, for what it computes itself; tasks that it runs use the same.
  virtual float* scratch() = 0;
  /// Runs tasks 0 .. tasks-1 and returns when all are done.
  virtual void run(int64_t tasks, Task task, void* context) = 0;
  /// Runs phases * slices tasks, slice s of phase p being task p * slices + s; a phase begins when the one before has
  /// ended. Each thread keeps to its slices while it can, so that what they read stays in its cache. At most
  /// kMostSlices.
  virtual void run_phases(int64_t phases, int64_t slices, Task task, void* context) = 0;
  /// Runs lanes * parts tasks, part p of lane l being task l * parts + p: it begins when part p - 1 of its lane has
  /// ended, and part p of the lane before. At most kMostLanes.
  virtual void run_lanes(int64_t lanes, int64_t parts, Task task, void* context) = 0;

 protected:
  ~Parallel() = default;
};

/// The thread that calls, alone: within a task, with the scratch of that, or where nothing may be waited for. Nothing
/// of it is inline, for the kernels of one instruction set may share no code with another's.
class Alone final : public Parallel {
 public:
  explicit Alone(float* scratch) : scratch_(scratch) {}

  int width() const override;
  float* scratch() override;
  void run(int64_t tasks, Task task, void* context) override;
  void run_phases(int64_t phases, int64_t slices, Task task, void* context) override;
  void run_lanes(int64_t lanes, int64_t parts, Task task, void* context) override;

 private:
  float* scratch_;
};

}  // namespace unroll
