#pragma once

#include <cstdint>

namespace unroll {

/// Memory of undefined content at a multiple of 64 bytes, or null if there is none; free it with release().
void* allocate(int64_t bytes) noexcept;
/// The same, zeroed.
void* allocate_zeroed(int64_t bytes) noexcept;
void release(void* block) noexcept;

}  // namespace unroll
