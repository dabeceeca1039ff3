#pragma once

#include "kernels/kernels.h"

namespace unroll {

/// Passes through recurrent layers, on the threads of the pool or, where these have been found to be slower, on the
/// caller's alone.
void recurrent_forward(const Kernels& kernels, const RecurrentCall& call, Parallel& pool);
void recurrent_backward(const Kernels& kernels, const RecurrentCall& call, const RecurrentGradient* gradients,
                        Parallel& pool);

}  // namespace unroll
