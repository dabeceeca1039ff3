#pragma once

/// How the threads of a pool share a pass through a stack of recurrent layers: the rule, and the loops that follow it.

#include "kernels/between_layers.h"
#include "kernels/cell_passes.h"
#include "kernels/segments.h"

namespace unroll::UNROLL_ISA {

struct Sharing {
  enum Way {
    kSequences,   ///< a thread takes its sequences through the whole stack, and waits for nobody
    kUnits,       ///< each step is divided into slices of units, so that a thread reads only its part of the weights
    kLayers,      ///< a thread takes some steps of a layer, as soon as the layer before has done them
    kDirections,  ///< a thread takes a direction of a layer
  };
  Way way;
  int64_t slices;  ///< of units, 1 if they are not divided
  int64_t parts;   ///< of the sequences (1: the products are divided), or of time
};

inline int64_t input_size_of(const RecurrentCall& call, int64_t layer) {
  return layer == 0 ? call.input_size : output_size(call);
}

/// Operations of the products of one row in all layers, forward.
inline int64_t cost_of_row(const RecurrentCall& call, const CellPasses& cell) {
  int64_t columns = 0;
  for (int64_t l = 0; l < call.layer_count; ++l) columns += input_size_of(call, l) + call.state_size;
  return 2 * cell.gates * call.hidden * call.directions * columns;
}

/// Operations between two points at which threads wait for each other, from which that costs less than it saves.
constexpr int64_t kWorthWaiting = 80'000;

/// Operations of a thread in one step, where threads divide the units and so wait for each other after every step, from
/// which that costs less than it saves between near cores: a fifth of a microsecond. Whether the cores are near the
/// runtime finds out: recurrent_passes.h.
constexpr int64_t kWorthSlice = 12'000;

/// Recurrent weights of more bytes than this are better divided: measured on a core with an L2 of as many.
constexpr int64_t kCachedWeights = 1024 * 1024;

/// Bytes of the recurrent weights of one layer and direction.
inline int64_t recurrent_bytes(const RecurrentCall& call, const CellPasses& cell) {
  return cell.gates * call.hidden * call.state_size * static_cast<int64_t>(sizeof(float));
}

/// So few sequences that a thread would have too few of them, or none.
inline bool few_sequences(const RecurrentCall& call, int64_t width) { return call.steps.sequences < 2 * width; }

/// Slices of units worth having: where the sequences are few, or the weights too large for each thread to read them
/// all, as many as a step is long enough for. Not of cells whose steps have products one after the other.
inline int64_t slices_of_units(const RecurrentCall& call, const CellPasses& cell, int64_t width) {
  const int64_t weights = recurrent_bytes(call, cell);
  const bool one_product = cell.phases == 1 && call.layers[0].w_hr_panels == nullptr;
  const bool large = weights > kCachedWeights;
  if (!one_product || !(few_sequences(call, width) || large)) return 1;
  const int64_t cost = 2 * weights / static_cast<int64_t>(sizeof(float)) * call.steps.sequences;
  if (packed_rows(call.steps) * cost_of_row(call, cell) < kWorthDividing) return 1;
  const int64_t worth = larger(1, cost / kWorthSlice);
  return smaller(smaller(width, kMostSlices), smaller(worth, divide_up(call.hidden, kPanel)));
}

/// Parts of time of a layer: many, so that the layers after it begin soon, but of a few steps, whose input products
/// then share the weights, and long enough to be worth waiting for.
inline int64_t parts_of_time(const RecurrentCall& call, const CellPasses& cell) {
  constexpr int64_t kFewestSteps = 8, kMostParts = 32;
  const int64_t cost_of_step = larger(1, cost_of_row(call, cell) * call.steps.sequences / call.layer_count);
  const int64_t steps = larger(kFewestSteps, divide_up(kWorthWaiting, cost_of_step));
  return larger(1, smaller(kMostParts, call.steps.count / steps));
}

/// Parts of the sequences, one a thread.
inline int64_t parts_of_sequences(const RecurrentCall& call, const CellPasses& cell, const Parallel& pool) {
  const int64_t sequences = call.steps.sequences;
  const int64_t cost = cost_of_row(call, cell) * packed_rows(call.steps) / larger(1, sequences);
  return smaller(pool.width(), tasks_for(pool, sequences, cost));
}

/// Few sequences leave threads to the directions, or to the layers if these have parts enough to overlap; unless more
/// threads can share the units or the sequences, or the weights are so large that a cache holds no more than a share.
inline Sharing sharing_of(const RecurrentCall& call, const CellPasses& cell, const Parallel& pool) {
  const int64_t width = pool.width(), lanes = call.layer_count;
  const int64_t slices = slices_of_units(call, cell, width);
  const Sharing otherwise = slices > 1 ? Sharing{Sharing::kUnits, slices, 1}
                                       : Sharing{Sharing::kSequences, 1, parts_of_sequences(call, cell, pool)};
  if (!few_sequences(call, width) || packed_rows(call.steps) * cost_of_row(call, cell) < kWorthSharing)
    return otherwise;
  const int64_t beside = smaller(width, call.directions > 1 ? call.directions : lanes);
  if (slices > 1 && 2 * recurrent_bytes(call, cell) > kCachedWeights) return otherwise;
  if (beside == 1 || beside < larger(slices, smaller(width, call.steps.sequences))) return otherwise;
  if (call.directions > 1) return {Sharing::kDirections, 1, 1};
  const int64_t parts = parts_of_time(call, cell);
  const bool overlaps = 4 * lanes * parts >= 3 * beside * (parts + lanes - 1);  // three quarters of the threads' time
  if (!overlaps || lanes > kMostLanes) return otherwise;
  return {Sharing::kLayers, 1, parts};
}

/// Calls body(layer, sequences, times, threads) for every layer, with those threads that may work on it: the layers of
/// the same sequences and times one after the other, the times of a layer likewise.
template <class Body>
void for_each_layer(const RecurrentCall& call, const Sharing& sharing, Parallel& pool, const Body& body) {
  const Range all{0, call.steps.sequences}, times{0, call.steps.count};
  const auto whole_stack = [&](Range sequences, Parallel& threads) {
    for (int64_t l = 0; l < call.layer_count; ++l) body(l, sequences, times, threads);
  };
  if (sharing.way == Sharing::kLayers) {
    return parallel_lanes(pool, call.layer_count, sharing.parts, [&](int64_t l, int64_t part, float* scratch) {
      Alone alone(scratch);
      body(l, all, part_of(times.end, sharing.parts, part), alone);
    });
  }
  if (sharing.parts == 1) return whole_stack(all, pool);
  parallel_for(pool, sharing.parts, [&](int64_t part, float* scratch) {
    Alone alone(scratch);
    whole_stack(balanced_part(call.steps, sharing.parts, part), alone);
  });
}

/// Calls body(direction, threads) for the directions of a layer.
template <class Body>
void for_each_direction(const RecurrentCall& call, const Sharing& sharing, Parallel& threads, const Body& body) {
  if (sharing.way != Sharing::kDirections) {
    for (int64_t d = 0; d < call.directions; ++d) body(d, threads);
    return;
  }
  parallel_for(threads, call.directions, [&](int64_t d, float* scratch) {
    Alone alone(scratch);
    body(d, alone);
  });
}

}  // namespace unroll::UNROLL_ISA
