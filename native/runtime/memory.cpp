#include "runtime/memory.h"

#include <cstdlib>

namespace unroll {
namespace {

constexpr uintptr_t kAlignment = 64;

}  // namespace

// calloc leaves fresh pages of the operating system untouched, where aligned_alloc and memset would fill them. The
// start of what it returned is kept just before the aligned address.
void* allocate(int64_t bytes) noexcept {
  const auto wanted = static_cast<uint64_t>(bytes);
  if (bytes < 0 || wanted > SIZE_MAX - kAlignment - sizeof(void*)) return nullptr;
  void* const start = std::calloc(1, wanted + kAlignment + sizeof(void*));
  if (start == nullptr) return nullptr;
  const uintptr_t after_pointer = reinterpret_cast<uintptr_t>(start) + sizeof(void*);
  void** const aligned = reinterpret_cast<void**>((after_pointer + kAlignment - 1) / kAlignment * kAlignment);
  aligned[-1] = start;
  return aligned;
}

void release(void* block) noexcept {
  if (block != nullptr) std::free(static_cast<void**>(block)[-1]);
}

}  // namespace unroll
