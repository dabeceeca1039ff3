#pragma once

namespace unroll {

/// Whether this processor and its operating system run the instructions of a set.
bool cpu_has_avx2();
bool cpu_has_avx512();

}  // namespace unroll
