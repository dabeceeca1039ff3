#include "runtime/memory.h"

#include <cstdlib>

namespace unroll {
namespace {

constexpr uintptr_t kAlignment = 64;

/// Takes a block of `take`, which is malloc or its like. The start of what that returned is kept just before the
/// aligned address.
template <class Take>
void* aligned(int64_t bytes, const Take& take) {
  const auto wanted = static_cast<uint64_t>(bytes);
  if (bytes < 0 || wanted > SIZE_MAX - kAlignment - sizeof(void*)) return nullptr;
  void* const start = take(wanted + kAlignment + sizeof(void*));
  if (start == nullptr) return nullptr;
  const uintptr_t after_pointer = reinterpret_cast<uintptr_t>(start) + sizeof(void*);
  void** const block = reinterpret_cast<void**>((after_pointer + kAlignment - 1) / kAlignment * kAlignment);
  block[-1] = start;
  return block;
}

}  // namespace

void* allocate(int64_t bytes) noexcept {
  return aligned(bytes, [](size_t size) { return std::malloc(size); });
}

// calloc leaves fresh pages of the operating system untouched, where memset would fill them.
void* allocate_zeroed(int64_t bytes) noexcept {
  return aligned(bytes, [](size_t size) { return std::calloc(1, size); });
}

void release(void* block) noexcept {
  if (block != nullptr) std::free(static_cast<void**>(block)[-1]);
}

}  // namespace unroll
