#pragma once

#include <cstdint>

namespace unroll {

/// Every thread that runs tasks owns this much 64-byte aligned scratch memory, so that kernels allocate nothing.
constexpr int64_t kScratchFloats = 128 * 1024;

constexpr int64_t kMostSlices = 16;

/// What kernels know of threads. Tasks must write disjoint outputs; which thread runs which task is not determined, so
/// a result may not depend on it.
class Parallel {
 public:
  using Task = void (*)(void* context, int64_t index, float* scratch);

  /// Threads that may work on one call, the caller included; at least 1.
  virtual int width() const = 0;
  /// Runs tasks 0 .. tasks-1 and returns when all are done.
  virtual void run(int64_t tasks, Task task, void* context) = 0;
  /// Runs phases * slices tasks, slice s of phase p being task p * slices + s; a phase begins when the one before has
  /// ended. Each thread keeps to its slices while it can, so that what they read stays in its cache. At most
  /// kMostSlices.
  virtual void run_phases(int64_t phases, int64_t slices, Task task, void* context) = 0;

 protected:
  ~Parallel() = default;
};

}  // namespace unroll
