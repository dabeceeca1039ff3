#pragma once

#include <cstdint>

namespace unroll {

/// Every thread that runs tasks owns this much 64-byte aligned scratch memory, so that kernels allocate nothing.
constexpr int64_t kScratchFloats = 128 * 1024;

/// What kernels know of threads. Tasks must write disjoint outputs; which thread runs which task is not determined, so
/// a result may not depend on it.
class Parallel {
 public:
  using Task = void (*)(void* context, int64_t index, float* scratch);

  /// Threads that may work on one call, the caller included; at least 1.
  virtual int width() const = 0;
  /// Runs tasks 0 .. tasks-1 and returns when all are done.
  virtual void run(int64_t tasks, Task task, void* context) = 0;

 protected:
  ~Parallel() = default;
};

}  // namespace unroll
