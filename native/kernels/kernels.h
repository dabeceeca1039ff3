#pragma once

/// The only interface of native/kernels: one table of kernels per instruction set, all giving the same bits.
///
/// Letters: B sequences, T steps, N packed rows, I inputs, H hidden units, G gates, V columns of the softmax. Matrices
/// are row-major. Kernels allocate nothing, check nothing and propagate NaN and infinity; they expect flush-to-zero and
/// denormals-are-zero to be on. Panels and buffers made of them are 64-byte aligned.

#include <cstdint>

#include "kernels/parallel.h"

namespace unroll {

/// Layout of a packed batch: rows are time-major, the sequences of a step ordered by length, longest first (stable).
struct Steps {
  const int32_t* offsets;  ///< [T + 1] first packed row of each step; the last entry is N
  const int32_t* order;    ///< [B] the caller's index of each packed sequence
  int64_t count;           ///< T
  int64_t sequences;       ///< B
};

enum class CellKind : int64_t { kRnnTanh, kRnnRelu, kLstm, kGru, kGruResetBefore };

/// What of a right operand [k][columns] is in memory: its panels, or a weight as it is, [k][columns] or its transpose.
enum class WeightForm : int8_t { kPanels, kRows, kTransposed };

enum class ActivationKind : int64_t { kRelu, kTanh, kSigmoid, kSoftplus, kExp, kLog };

enum class PoolingKind : int64_t { kSum, kMean, kMax };

enum class ElementLossKind : int64_t { kSquared, kAbsolute, kHuber, kBinaryCrossEntropy };

struct ElementLoss {
  ElementLossKind kind;
  float delta;  ///< kHuber: from where it is linear
};

/// What a cell has beside its weights.
struct CellOptions {
  const float* peepholes;       ///< LSTM: [3][H] of i, f, o, or null
  const float* recurrent_bias;  ///< GRU, reset after: [H] b_hn, or null
  int64_t coupled;              ///< LSTM: whether f = 1 - i
};

/// One layer and direction of a call: its weights and the buffers that the forward pass fills and the backward pass
/// reads. P is the size of a state: H, or that of the projection. Matrices with D P columns hold the directions side by
/// side; their pointers are at the direction's first column. States are in the caller's order, null meaning zero.
///
/// Where the call has plain weights, they stand in the places of panels: W itself, row-major.
struct RecurrentLayer {
  const float* w_ih_panels;  ///< W_ih^T [I][G H]
  const float* w_hh_panels;  ///< W_hh^T [P][G H], interleaved by gate
  const float* w_hr_panels;  ///< W_hr^T [H][P], or null without projection
  const float* bias;         ///< [G H] b_ih + b_hh (without what is in recurrent_bias), or null
  CellOptions options;
  const float* initial_state;  ///< [B][P] or null
  const float* initial_cells;  ///< LSTM: [B][H] or null
  float* final_state;          ///< [B][P]
  float* final_cells;          ///< LSTM: [B][H]
  float* states;               ///< [B + N][D P] initial states in packed order, then the output of every row
  float* cells;                ///< LSTM: [B + N][H] likewise
  float* gates;                ///< [N][G H] gates; after the backward pass the gradients of their sums
  float* recurrent;            ///< GRU: [N][H], see gru_cell.h
  float* unprojected;          ///< [N][H] with projection
  float* outputs;  ///< first direction: [N][columns] outputs of the layer, if they are not its states as they are
  /// First layer, of an input by index: [input_rows][G H] products of the table; after the backward pass for each of
  /// its rows the sum of the gradients of the gates that read it.
  float* of_table;
};

/// Gradients of one layer and direction. Those of the weights are added to what is there, null where there is no such
/// weight.
struct RecurrentGradient {
  const float* w_ih_back_panels;     ///< W_ih [G H][I]
  const float* w_hh_back_panels[2];  ///< W_hh [G H][P]; the rows of a GRU's third gate apart
  const float* w_hr_back_panels;     ///< W_hr [P][H]
  float* d_w_ih;                     ///< [G H][I]
  float* d_w_hh;                     ///< [G H][P]
  float* d_w_hr;                     ///< [P][H]
  float* d_b_ih;                     ///< [G H]
  float* d_b_hh;                     ///< [G H]
  float* d_peepholes;                ///< [3][H]
  float* d_output;             ///< [N][columns] of the layer's outputs, at the direction's first; see between_layers.h
  const float* d_final_state;  ///< [B][P] or null
  const float* d_final_cells;  ///< [B][H] or null
  float* d_initial_state;      ///< [B][P]
  float* d_initial_cells;      ///< [B][H]
  float* d_input;              ///< [N][I], of an input by index [input_rows][I]; shared by the directions of a layer
  float* d_h;                  ///< work space, of each layer and direction its own down to d_projected: [B][P]
  float* d_c;                  ///< [B][H], LSTM
  float* d_unprojected;        ///< [B][H], with projection or two phases
  float* d_projected;          ///< [N][P], with projection
  int32_t* row_order;          ///< [N], shared like all that follow
  int32_t* previous_rows;      ///< [N]
  int32_t* readers;            ///< [N], of an input by index, and so the next: the rows that read each row of the table
  int32_t* first_readers;      ///< [input_rows + 1]
};

/// One pass through a stack of recurrent layers. An output has D P columns, or P if the directions are summed. `layers`
/// has layer_count * directions entries, directions innermost.
struct RecurrentCall {
  CellKind cell;
  int64_t input_size, hidden, state_size, layer_count, directions;
  int64_t summed;        ///< whether an output is the sum of the directions
  double dropout;        ///< probability, between layers, that an element is dropped; 0 when not training
  uint64_t dropout_key;  ///< chooses the mask
  int64_t chunk_steps;   ///< steps whose input products are computed at once, 1 or more
  /// Whether everything is kept for a backward pass. If not, the layers' gates, recurrent and unprojected rows are
  /// chunk_steps B, used over and over (LayerRows::kept_row), and cells are [B][H].
  int64_t keeps_all;
  /// Whether the layers, or in a backward pass the gradients, have the weights as they are, where else they have
  /// panels: for few rows.
  int64_t plain_weights;
  Steps steps;
  const float* input;          ///< [N][I], or by index a table [input_rows][I]
  const int32_t* input_index;  ///< [N] or null: the input's row n is row input_index[n] of the table; input_table.h
  int64_t input_rows;
  const RecurrentLayer* layers;
};

/// Which cells of a batch are to be moved, a cell being the `features` floats of one step of one sequence: a rectangle
/// of steps and packed sequences. Steps may go beyond T, where no sequence has them.
struct Cells {
  Steps steps;
  int64_t features;
  int64_t first_step, step_count;
  int64_t first_sequence, sequence_count;
};

/// Cells of a padded batch beside the packed one: step t of the caller's sequence b begins at
/// padded[b * sequence_stride + t * step_stride]. One of the strides is `features`, and the other such that sequences,
/// or steps, follow each other.
struct PaddedCells {
  Cells cells;
  int64_t sequence_stride, step_stride;
  /// Whether what follows a sequence's last step is not its padding: then it is not touched, and the order may name the
  /// first cell of each sequence instead of the sequence.
  bool real_steps_only = false;
};

/// A parameter of an optimiser: arrays of `size` floats.
struct ParameterArrays {
  int64_t size;
  const float* gradient;
  float* weights;
  float* moments[2];  ///< SGD: momentum, or null; Adam: mean and variance
};

/// All parameters of an optimiser; their arrays are disjoint.
struct ParameterList {
  const ParameterArrays* parameters;
  int64_t count;
};

/// All gradients are multiplied by scale min(1, clip_norm / (scale gradient_norm + 1e-6)); by the scale alone if
/// clip_norm is infinite.
struct GradientScaling {
  double scale, clip_norm;
};

struct SgdStep {
  GradientScaling scaling;
  float learning_rate, momentum;
};

struct AdamStep {
  GradientScaling scaling;
  float step_size;  ///< learning rate / (1 - beta1^t)
  float beta1, one_minus_beta1, beta2, one_minus_beta2;
  float variance_correction;  ///< 1 / sqrt(1 - beta2^t)
  float epsilon;
  float kept_weight;  ///< 1 - learning rate * weight decay
};

struct Kernels {
  const char* name;  ///< of the instruction set: generic, avx2, avx512

  /// y = f(x) element by element; y may be x. Errors and ranges: elementary.h.
  void (*exp)(const float* x, float* y, int64_t size, Parallel& pool);
  void (*log)(const float* x, float* y, int64_t size, Parallel& pool);
  void (*tanh)(const float* x, float* y, int64_t size, Parallel& pool);
  void (*sigmoid)(const float* x, float* y, int64_t size, Parallel& pool);
  void (*softplus)(const float* x, float* y, int64_t size, Parallel& pool);

  /// y = f(x) of an activation; y may be x.
  void (*activation)(ActivationKind kind, const float* x, float* y, int64_t size, Parallel& pool);
  /// d_x = d_y * f'(x), from y = f(x); d_x may be d_y.
  void (*activation_backward)(ActivationKind kind, const float* y, const float* d_y, float* d_x, int64_t size,
                              Parallel& pool);

  /// y = factor * x + z, or factor * x where z is null; y may be x or z.
  void (*scaled_sum)(const float* x, float factor, const float* z, float* y, int64_t size, Parallel& pool);
  /// y = a * b; y may be a or b.
  void (*product)(const float* a, const float* b, float* y, int64_t size, Parallel& pool);
  /// Copies the first columns of x [rows][ldx] to those of y [rows][ldy].
  void (*copy_columns)(int64_t rows, int64_t columns, const float* x, int64_t ldx, float* y, int64_t ldy,
                       Parallel& pool);

  /// Packs a right operand [k][columns] (or the transpose of [columns][k]) into panels of 16 columns: see panels.h.
  /// `panels` takes groups * ceil(columns / groups / 16) * 16 * k floats.
  void (*pack_panels)(const float* w, int64_t ldw, int64_t k, int64_t columns, int64_t groups, bool transposed,
                      float* panels, Parallel& pool);
  /// c = a * w + (c if accumulate, else bias or 0); a [rows][k], c [rows][columns]. By weights as they are, few rows.
  void (*matmul)(int64_t rows, int64_t k, int64_t columns, const float* a, int64_t lda, const float* w, WeightForm form,
                 const float* bias, bool accumulate, float* c, int64_t ldc, Parallel& pool);
  /// The order in which a sum over packed rows takes them, whatever the caller's order of the sequences: row_order.h.
  /// Sequences of equal length are compared by their rows of a [N][.], then b [N][.] (null: not). Returns whether it
  /// differs from the packed order; rows [N] is written only then.
  bool (*row_order)(const Steps& steps, const float* a, int64_t a_columns, const float* b, int64_t b_columns,
                    int32_t* rows);
  /// c += a^T b over n in [0, rows): row a_index[n] of a [*][outputs] with row b_index[n] of b [*][columns]; n where an
  /// index is null. And sums [outputs] += the sum of these rows of a, unless sums is null.
  void (*matmul_transposed)(int64_t rows, int64_t outputs, int64_t columns, const float* a, int64_t lda,
                            const int32_t* a_index, const float* b, int64_t ldb, const int32_t* b_index, float* c,
                            int64_t ldc, float* sums, Parallel& pool);

  /// A stack of recurrent layers over a packed batch: recurrent_stack.h.
  void (*recurrent_forward)(const RecurrentCall& call, Parallel& pool);
  /// Back-propagation through time of the call whose forward pass filled the buffers; `gradients` as `call.layers`.
  void (*recurrent_backward)(const RecurrentCall& call, const RecurrentGradient* gradients, Parallel& pool);

  /// y [B][features], in the caller's order, of the steps x [N][features] of each sequence; 0 for one that has none.
  void (*pool_steps)(PoolingKind kind, const Steps& steps, int64_t features, const float* x, float* y, Parallel& pool);
  /// d_x of y = pool_steps(x): of a largest value that several steps share, the first has all.
  void (*pool_steps_backward)(PoolingKind kind, const Steps& steps, int64_t features, const float* x, const float* y,
                              const float* d_y, float* d_x, Parallel& pool);
  /// y = x [N][features] with elements dropped that the key chooses: dropout.h; y may be x.
  void (*dropout)(double probability, uint64_t key, const Steps& steps, int64_t features, const float* x, float* y,
                  Parallel& pool);

  /// y = softmax(scale * x) along each row, scale > 0; y may be x.
  void (*softmax)(int64_t rows, int64_t columns, const float* x, float scale, float* y, Parallel& pool);
  /// y = log(softmax(scale * x)) along each row, scale > 0; y may be x.
  void (*log_softmax)(int64_t rows, int64_t columns, const float* x, float scale, float* y, Parallel& pool);
  /// d_x = scale * y * (d_y - sum(y * d_y)) along each row, y = softmax(scale * x); d_x may be d_y.
  void (*softmax_backward)(int64_t rows, int64_t columns, const float* y, const float* d_y, float scale, float* d_x,
                           Parallel& pool);
  /// losses[r] = (1 - smoothing) -log p[labels[r]] + smoothing mean(-log p), p = softmax(logits[r]), times weights[r]
  /// unless weights is null; unless d_logits is null, its row r = gradient_scale * dloss_r/dlogits. d_logits may be
  /// logits. smoothing is in [0, 1].
  void (*softmax_cross_entropy)(int64_t rows, int64_t columns, const float* logits, const int32_t* labels,
                                const float* weights, float smoothing, float gradient_scale, float* losses,
                                float* d_logits, Parallel& pool);

  /// y[r] = table[tokens[r]]; rows of `size` floats.
  void (*embedding_forward)(int64_t rows, int64_t size, const int32_t* tokens, const float* table, float* y,
                            Parallel& pool);
  /// d_table[tokens[r]] += d_y[r], r = index[n] (n if index is null) for ascending n.
  void (*embedding_backward)(int64_t rows, int64_t size, const int32_t* tokens, const float* d_y, const int32_t* index,
                             float* d_table, Parallel& pool);

  /// Copies sequences [steps][features] into or out of packed rows: sequences[i] is the packed sequence
  /// first_sequence + i, from step 0. Steps beyond a sequence's length are skipped.
  void (*pack_sequences)(const Cells& cells, const float* const* sequences, float* packed, Parallel& pool);
  void (*unpack_sequences)(const Cells& cells, const float* packed, float* const* sequences, Parallel& pool);
  /// Copies the cells that are real steps into packed rows; no value of the others gets anywhere.
  void (*pack_padded)(const PaddedCells& cells, const float* padded, float* packed, Parallel& pool);
  /// Copies packed rows into the cells that are real steps, and fills the others with `padding`, unless
  /// real_steps_only.
  void (*unpack_padded)(const PaddedCells& cells, const float* packed, float padding, float* padded, Parallel& pool);

  /// losses[r] = the sum of w l(x, target) along row r, l(x, target) of element_loss.h; unless d_x is null it receives
  /// gradient_scale w dl/dx. w is 1 without weights, else weights[r] if there is one column of them, or that of the
  /// element; what has weight 0 is left out, whatever x and target are.
  void (*element_loss)(ElementLoss loss, int64_t rows, int64_t columns, const float* x, const float* target,
                       const float* weights, int64_t weight_columns, float gradient_scale, float* losses, float* d_x,
                       Parallel& pool);
  /// y[r] = the sum of row r.
  void (*row_sums)(int64_t rows, int64_t columns, const float* x, float* y, Parallel& pool);

  /// The sum over a whole array: reduce.h. The i-th element is x[index[i]], or x[i] if index is null.
  double (*array_sum)(const float* x, const int32_t* index, int64_t size, Parallel& pool);

  /// The Euclidean norm of all gradients together.
  double (*gradient_norm)(const ParameterList& list, Parallel& pool);
  /// weights -= learning_rate * u, u = scaled gradient (+ momentum * the last u, if there is one): PyTorch optim.SGD.
  void (*sgd_step)(const SgdStep& step, const ParameterList& list, Parallel& pool);
  /// Kingma and Ba, "Adam", 2015, in PyTorch's form: weights = kept_weight * weights - step_size * mean /
  /// (sqrt(variance) * correction + epsilon).
  void (*adam_step)(const AdamStep& step, const ParameterList& list, Parallel& pool);

  /// y[i] = low + (high - low) * u, u the uniform number [0, 1) of element first + i: random.h.
  void (*uniform)(uint64_t seed, uint64_t purpose, int64_t first, int64_t size, float low, float high, float* y);
};

namespace generic {
extern const Kernels kKernels;
}
namespace avx2 {
extern const Kernels kKernels;
}
namespace avx512 {
extern const Kernels kKernels;
}

}  // namespace unroll
