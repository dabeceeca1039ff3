#include "runtime/memory.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <cstdlib>

namespace unroll {
namespace {

constexpr uintptr_t kAlignment = 64;

/// Asks for large pages where a block has whole ones: weights and gates of many megabytes miss the TLB at every row,
/// and fresh memory faults at every page.
void prefer_large_pages([[maybe_unused]] uintptr_t begin, [[maybe_unused]] uintptr_t end) {
#ifdef __linux__
  constexpr uintptr_t kLargePage = 2 * 1024 * 1024;
  const uintptr_t first = (begin + kLargePage - 1) / kLargePage * kLargePage, last = end / kLargePage * kLargePage;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#endif
}

}  // namespace

// calloc leaves fresh pages of the operating system untouched, where aligned_alloc and memset would fill them. The
// start of what it returned is kept just before the aligned address.
void* allocate(int64_t bytes) noexcept {
  const auto wanted = static_cast<uint64_t>(bytes);
  if (bytes < 0 || wanted > SIZE_MAX - kAlignment - sizeof(void*)) return nullptr;
  void* const start = std::calloc(1, wanted + kAlignment + sizeof(void*));
  if (start == nullptr) return nullptr;
  prefer_large_pages(reinterpret_cast<uintptr_t>(start), reinterpret_cast<uintptr_t>(start) + wanted);
  const uintptr_t after_pointer = reinterpret_cast<uintptr_t>(start) + sizeof(void*);
  void** const aligned = reinterpret_cast<void**>((after_pointer + kAlignment - 1) / kAlignment * kAlignment);
  aligned[-1] = start;
  return aligned;
}

void release(void* block) noexcept {
  if (block != nullptr) std::free(static_cast<void**>(block)[-1]);
}

}  // namespace unroll
