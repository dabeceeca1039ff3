#include "runtime/dispatch.h"

#include <atomic>

#include "runtime/cpu.h"

namespace unroll {
namespace {

struct Supported {
  const Kernels* tables[3];
  size_t count = 0;

  Supported() {
    tables[count++] = &generic::kKernels;
#if defined(UNROLL_HAVE_AVX2)
    if (cpu_has_avx2()) tables[count++] = &avx2::kKernels;
#endif
#if defined(UNROLL_HAVE_AVX512)
    if (cpu_has_avx512()) tables[count++] = &avx512::kKernels;
#endif
  }
};

const Supported& supported() {
  static const Supported tables;
  return tables;
}

std::atomic<const Kernels*>& selected() {
  static std::atomic<const Kernels*> table{supported().tables[supported().count - 1]};
  return table;
}

}  // namespace

std::span<const Kernels* const> supported_kernels() { return {supported().tables, supported().count}; }

const Kernels* find_kernels(std::string_view name) {
  for (const Kernels* table : supported_kernels()) {
    if (name == table->name) return table;
  }
  return nullptr;
}

void select_kernels(const Kernels& table) { selected().store(&table, std::memory_order_release); }

const Kernels& kernels() { return *selected().load(std::memory_order_acquire); }

}  // namespace unroll
