#include "runtime/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>

#include <cstdint>

namespace unroll {
namespace {

struct Registers {
  uint32_t a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r;
  __get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d);
  return r;
}

bool all(uint32_t value, uint32_t bits) { return (value & bits) == bits; }

/// Register state that the operating system saves on a context switch (XCR0); the processor may have more than that.
uint32_t saved_state() {
  constexpr uint32_t kOsxsave = 1u << 27;
  if (!all(cpuid(1, 0).c, kOsxsave)) return 0;
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

constexpr uint32_t kSavedYmm = 0x06;  // SSE and AVX
constexpr uint32_t kSavedZmm = 0xe6;  // and opmask, upper halves, upper registers

}  // namespace

bool cpu_has_avx2() {
  constexpr uint32_t kFma = 1u << 12, kAvx = 1u << 28, kAvx2 = 1u << 5;
  return all(cpuid(1, 0).c, kFma | kAvx) && all(cpuid(7, 0).b, kAvx2) && all(saved_state(), kSavedYmm);
}

bool cpu_has_avx512() {
  constexpr uint32_t kF = 1u << 16, kDq = 1u << 17, kBw = 1u << 30, kVl = 1u << 31;
  return cpu_has_avx2() && all(cpuid(7, 0).b, kF | kDq | kBw | kVl) && all(saved_state(), kSavedZmm);
}

}  // namespace unroll

#else

namespace unroll {
bool cpu_has_avx2() { return false; }
bool cpu_has_avx512() { return false; }
}  // namespace unroll

#endif
