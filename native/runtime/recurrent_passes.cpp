#include "runtime/recurrent_passes.h"

#include <bit>
#include <chrono>
#include <initializer_list>

#include "runtime/sharing_trials.h"

namespace unroll {
namespace {

SharingTrials trials;

/// Of a training step.
enum Part { kForward, kBackward };

int64_t gates_of(CellKind cell) {
  switch (cell) {
    case CellKind::kLstm:
      return 4;
    case CellKind::kGru:
    case CellKind::kGruResetBefore:
      return 3;
    default:
      return 1;
  }
}

int64_t rows_of(const RecurrentCall& call) { return call.steps.offsets[call.steps.count]; }

int64_t operations_of(const RecurrentCall& call) {
  const int64_t inputs = call.input_size + (call.layer_count - 1) * call.directions * call.state_size;
  const int64_t columns = inputs + call.layer_count * call.state_size;
  return 2 * gates_of(call.cell) * call.hidden * call.directions * columns * rows_of(call);
}

/// The leading bits of a count: those of numbers that differ by less than an eighth are mostly the same.
uint64_t leading_bits(int64_t count) {
  const auto bits = static_cast<uint64_t>(count);
  const int dropped = std::bit_width(bits) - 4;
  return dropped <= 0 ? bits : bits >> dropped << dropped;
}

/// FNV-1a of what makes the time of a row.
uint64_t kind_of(const Kernels& kernels, const RecurrentCall& call, int width) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const uint64_t part :
       {reinterpret_cast<uint64_t>(&kernels), static_cast<uint64_t>(width), static_cast<uint64_t>(call.keeps_all),
        static_cast<uint64_t>(call.plain_weights), leading_bits(call.input_index != nullptr ? call.input_rows : 0),
        static_cast<uint64_t>(call.cell), static_cast<uint64_t>(call.input_size), static_cast<uint64_t>(call.hidden),
        static_cast<uint64_t>(call.state_size), static_cast<uint64_t>(call.layer_count),
        static_cast<uint64_t>(call.directions), leading_bits(call.steps.sequences), leading_bits(call.steps.count),
        leading_bits(rows_of(call))}) {
    hash = (hash ^ part) * 0x100000001b3;
  }
  return hash ^ hash >> 32;
}

int64_t nanoseconds_now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

template <class Body>
void run(const Kernels& kernels, const RecurrentCall& call, Part part, Parallel& pool, const Body& body) {
  if (pool.width() == 1 || operations_of(call) < kWorthDividing) return body(pool);
  Alone alone(pool.scratch());
  const uint64_t kind = kind_of(kernels, call, pool.width());
  const SharingTrials::Way way = trials.next(kind);
  Parallel& threads = way.shared ? pool : static_cast<Parallel&>(alone);
  if (!way.timed) return body(threads);
  const int64_t start = nanoseconds_now();
  body(threads);
  trials.took(kind, part, way, rows_of(call), nanoseconds_now() - start);
}

}  // namespace

void recurrent_forward(const Kernels& kernels, const RecurrentCall& call, Parallel& pool) {
  run(kernels, call, kForward, pool, [&](Parallel& threads) { kernels.recurrent_forward(call, threads); });
}

void recurrent_backward(const Kernels& kernels, const RecurrentCall& call, const RecurrentGradient* gradients,
                        Parallel& pool) {
  run(kernels, call, kBackward, pool, [&](Parallel& threads) { kernels.recurrent_backward(call, gradients, threads); });
}

}  // namespace unroll
