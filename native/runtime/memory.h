#pragma once

#include <cstdint>

namespace unroll {

/// Zeroed memory at a multiple of 64 bytes, or null if there is none; free it with release().
void* allocate(int64_t bytes) noexcept;
void release(void* block) noexcept;

}  // namespace unroll
