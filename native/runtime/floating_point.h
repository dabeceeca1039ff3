#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace unroll {

/// The thread's floating-point control register.
inline uint64_t floating_point_control() {
#if defined(__x86_64__)
  return _mm_getcsr();
#elif defined(__aarch64__)
  return __builtin_aarch64_get_fpcr64();
#else
  return 0;
#endif
}

inline void set_floating_point_control(uint64_t control) {
#if defined(__x86_64__)
  _mm_setcsr(static_cast<uint32_t>(control));
#elif defined(__aarch64__)
  __builtin_aarch64_set_fpcr64(control);
#else
  static_cast<void>(control);
#endif
}

/// The state that kernels expect: round to nearest, no traps, denormal inputs and results are zero.
inline void set_kernel_floating_point() {
#if defined(__x86_64__)
  constexpr uint64_t kExceptionsMasked = 0x1f80, kFlushToZero = 0x8000, kDenormalsAreZero = 0x0040;
  set_floating_point_control(kExceptionsMasked | kFlushToZero | kDenormalsAreZero);
#elif defined(__aarch64__)
  set_floating_point_control(uint64_t{1} << 24);
#endif
}

/// Kernel state inside the scope, the caller's own (flags included) after it.
class FlushDenormals {
 public:
  FlushDenormals() : before_(floating_point_control()) { set_kernel_floating_point(); }
  ~FlushDenormals() { set_floating_point_control(before_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  uint64_t before_;
};

}  // namespace unroll
