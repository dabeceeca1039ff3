/// Compiled once per instruction set, in the namespace of that set.

#include "kernels/kernels.h"

#include <iterator>

#include "kernels/copy.h"
#include "kernels/dropout.h"
#include "kernels/element_loss.h"
#include "kernels/elementwise.h"
#include "kernels/embedding.h"
#include "kernels/gru_cell.h"
#include "kernels/lstm_cell.h"
#include "kernels/matmul_transposed.h"
#include "kernels/optimizer.h"
#include "kernels/packing.h"
#include "kernels/pooling.h"
#include "kernels/random.h"
#include "kernels/recurrent_stack.h"
#include "kernels/reduce.h"
#include "kernels/rnn_cell.h"
#include "kernels/row_order.h"
#include "kernels/softmax.h"

#define UNROLL_TEXT_OF(name) #name
#define UNROLL_TEXT(name) UNROLL_TEXT_OF(name)

namespace unroll::UNROLL_ISA {

/// The passes of every CellKind, in its order. A new cell is one line here.
constexpr CellPasses kCells[] = {kPassesOf<RnnCell<TanhActivation>>, kPassesOf<RnnCell<ReluActivation>>,
                                 kPassesOf<LstmCell>, kPassesOf<GruCell>, kPassesOf<GruResetBeforeCell>};

static_assert(std::size(kCells) == 1 + static_cast<size_t>(CellKind::kGruResetBefore));

const CellPasses& passes_of(const RecurrentCall& call) { return kCells[static_cast<int64_t>(call.cell)]; }

void recurrent_forward(const RecurrentCall& call, Parallel& pool) { run_forward(passes_of(call), call, pool); }

void recurrent_backward(const RecurrentCall& call, const RecurrentGradient* gradients, Parallel& pool) {
  run_backward(passes_of(call), call, gradients, pool);
}

const Kernels kKernels = {
    .name = UNROLL_TEXT(UNROLL_ISA),
    .exp = map_exp,
    .log = map_log,
    .tanh = map_tanh,
    .sigmoid = map_sigmoid,
    .softplus = map_softplus,
    .activation = activation,
    .activation_backward = activation_backward,
    .scaled_sum = scaled_sum,
    .product = product,
    .copy_columns = copy_columns,
    .pack_panels = pack_panels,
    .matmul = matmul,
    .row_order = row_order,
    .matmul_transposed = matmul_transposed,
    .recurrent_forward = recurrent_forward,
    .recurrent_backward = recurrent_backward,
    .pool_steps = pool_steps,
    .pool_steps_backward = pool_steps_backward,
    .dropout = dropout,
    .softmax = softmax,
    .log_softmax = log_softmax,
    .softmax_backward = softmax_backward,
    .softmax_cross_entropy = softmax_cross_entropy,
    .embedding_forward = embedding_forward,
    .embedding_backward = embedding_backward,
    .pack_sequences = pack_sequences,
    .unpack_sequences = unpack_sequences,
    .pack_padded = pack_padded,
    .unpack_padded = unpack_padded,
    .element_loss = element_loss,
    .row_sums = row_sums,
    .array_sum = array_sum,
    .gradient_norm = gradient_norm,
    .sgd_step = sgd_step,
    .adam_step = adam_step,
    .uniform = uniform,
};

}  // namespace unroll::UNROLL_ISA
