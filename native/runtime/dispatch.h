#pragma once

#include <span>
#include <string_view>

#include "kernels/kernels.h"

namespace unroll {

/// The kernel tables that this processor can run, slowest first; the first is `generic`.
std::span<const Kernels* const> supported_kernels();

/// The table of a name, or null if this processor (or this build) lacks it.
const Kernels* find_kernels(std::string_view name);

/// Makes a table the one that kernels() returns, for the whole process. Until then that is the last supported one.
void select_kernels(const Kernels& table);

const Kernels& kernels();

}  // namespace unroll
