#include "kernels/parallel.h"

namespace unroll {

int Alone::width() const { return 1; }

float* Alone::scratch() { return scratch_; }

void Alone::run(int64_t tasks, Task task, void* context) {
  for (int64_t index = 0; index < tasks; ++index) task(context, index, scratch_);
}

void Alone::run_phases(int64_t phases, int64_t slices, Task task, void* context) {
  run(phases * slices, task, context);
}

void Alone::run_lanes(int64_t lanes, int64_t parts, Task task, void* context) { run(lanes * parts, task, context); }

}  // namespace unroll
