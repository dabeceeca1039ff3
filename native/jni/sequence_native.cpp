#include "jni/border.h"

using namespace unroll;
using namespace unroll::border;

namespace {

/// The rectangle of cells that a call is about, of a batch of so many sequences; the arrays' elements follow.
Cells rectangle(JNIEnv* env, jintArray offsets, jint sequences, jint features, jint first_step, jint step_count,
                jint first_sequence, jint sequence_count) {
  const Steps steps{nullptr, nullptr, env->GetArrayLength(offsets) - 1, sequences};
  return {steps, features, first_step, step_count, first_sequence, sequence_count};
}

/// The same of sequences in arrays of their own, where nobody asks how many the batch has beside them.
Cells of_sequences(JNIEnv* env, jintArray offsets, jint features, jint first_step, jint step_count, jint first_sequence,
                   jint sequence_count) {
  return rectangle(env, offsets, first_sequence + sequence_count, features, first_step, step_count, first_sequence,
                   sequence_count);
}

Cells with_elements(Cells cells, const int32_t* offsets, const int32_t* order) {
  cells.steps.offsets = offsets;
  cells.steps.order = order;
  return cells;
}

/// Runs body(parallel) on the calling thread only, for threads must not be waited for while elements are pinned.
template <class Body>
void alone(JNIEnv* env, const Body& body) {
  guarded(env, [&] {
    Alone thread(own_scratch());
    body(thread);
  });
}

/// Runs body(steps) on a whole batch.
template <class Body>
void with_steps(JNIEnv* env, jintArray offsets, jintArray order, const Body& body) {
  const Ints starts(env, offsets), sequences(env, order, starts.data());
  if (!sequences.data()) return;
  const Steps steps{starts.data(), sequences.data(), env->GetArrayLength(offsets) - 1, env->GetArrayLength(order)};
  guarded(env, [&] { body(steps); });
}

}  // namespace

UNROLL_NATIVE(void, SequenceNative, packSequences)
(JNIEnv* env, jclass, jintArray offsets, jint features, jint first_step, jint step_count, jint first_sequence,
 jint sequence_count, jobjectArray sequences, jlong packed) {
  const Cells cells = of_sequences(env, offsets, features, first_step, step_count, first_sequence, sequence_count);
  alone(env, [&](Parallel& thread) {
    const PinnedRows<float> rows(env, sequences, sequence_count, JNI_ABORT);
    if (!rows.data()) return;
    const Pinned<int32_t> starts(env, offsets, JNI_ABORT);
    if (!starts.data()) return;
    kernels().pack_sequences(with_elements(cells, starts.data(), nullptr), rows.data(), floats(packed), thread);
  });
}

UNROLL_NATIVE(void, SequenceNative, unpackSequences)
(JNIEnv* env, jclass, jintArray offsets, jint features, jint first_step, jint step_count, jint first_sequence,
 jint sequence_count, jlong packed, jobjectArray sequences) {
  const Cells cells = of_sequences(env, offsets, features, first_step, step_count, first_sequence, sequence_count);
  alone(env, [&](Parallel& thread) {
    const PinnedRows<float> rows(env, sequences, sequence_count, 0);
    if (!rows.data()) return;
    const Pinned<int32_t> starts(env, offsets, JNI_ABORT);
    if (!starts.data()) return;
    kernels().unpack_sequences(with_elements(cells, starts.data(), nullptr), floats(packed), rows.data(), thread);
  });
}

UNROLL_NATIVE(void, SequenceNative, packPaddedArray)
(JNIEnv* env, jclass, jintArray offsets, jintArray order, jlong sequence_stride, jlong step_stride,
 jboolean real_steps_only, jint features, jint first_step, jint step_count, jint first_sequence, jint sequence_count,
 jfloatArray padded, jlong start, jlong packed) {
  const Cells cells = rectangle(env, offsets, env->GetArrayLength(order), features, first_step, step_count,
                                first_sequence, sequence_count);
  alone(env, [&](Parallel& thread) {
    const Pinned<int32_t> starts(env, offsets, JNI_ABORT), sequences(env, order, JNI_ABORT, starts.data());
    const Pinned<float> from(env, padded, JNI_ABORT, sequences.data());
    if (!from.data()) return;
    kernels().pack_padded(
        {with_elements(cells, starts.data(), sequences.data()), sequence_stride, step_stride, real_steps_only != 0},
        from.data() + start, floats(packed), thread);
  });
}

UNROLL_NATIVE(void, SequenceNative, unpackPaddedArray)
(JNIEnv* env, jclass, jintArray offsets, jintArray order, jlong sequence_stride, jlong step_stride,
 jboolean real_steps_only, jint features, jint first_step, jint step_count, jint first_sequence, jint sequence_count,
 jlong packed, jfloat padding, jfloatArray padded, jlong start) {
  const Cells cells = rectangle(env, offsets, env->GetArrayLength(order), features, first_step, step_count,
                                first_sequence, sequence_count);
  alone(env, [&](Parallel& thread) {
    const Pinned<int32_t> starts(env, offsets, JNI_ABORT), sequences(env, order, JNI_ABORT, starts.data());
    const Pinned<float> to(env, padded, 0, sequences.data());
    if (!to.data()) return;
    kernels().unpack_padded(
        {with_elements(cells, starts.data(), sequences.data()), sequence_stride, step_stride, real_steps_only != 0},
        floats(packed), padding, to.data() + start, thread);
  });
}

UNROLL_NATIVE(void, SequenceNative, packPadded)
(JNIEnv* env, jclass, jintArray offsets, jintArray order, jlong sequence_stride, jlong step_stride,
 jboolean real_steps_only, jint features, jint step_count, jlong padded, jlong packed) {
  const jint all = env->GetArrayLength(order);
  const Cells cells = rectangle(env, offsets, all, features, 0, step_count, 0, all);
  const Ints starts(env, offsets), sequences(env, order, starts.data());
  if (!sequences.data()) return;
  guarded(env, [&] {
    kernels().pack_padded(
        {with_elements(cells, starts.data(), sequences.data()), sequence_stride, step_stride, real_steps_only != 0},
        floats(padded), floats(packed), pool());
  });
}

UNROLL_NATIVE(void, SequenceNative, unpackPadded)
(JNIEnv* env, jclass, jintArray offsets, jintArray order, jlong sequence_stride, jlong step_stride,
 jboolean real_steps_only, jint features, jint step_count, jlong packed, jfloat padding, jlong padded) {
  const jint all = env->GetArrayLength(order);
  const Cells cells = rectangle(env, offsets, all, features, 0, step_count, 0, all);
  const Ints starts(env, offsets), sequences(env, order, starts.data());
  if (!sequences.data()) return;
  guarded(env, [&] {
    kernels().unpack_padded(
        {with_elements(cells, starts.data(), sequences.data()), sequence_stride, step_stride, real_steps_only != 0},
        floats(packed), padding, floats(padded), pool());
  });
}

UNROLL_NATIVE(void, SequenceNative, embeddingForward)
(JNIEnv* env, jclass, jlong rows, jlong size, jlong tokens, jlong table, jlong y) {
  guarded(env, [&] { kernels().embedding_forward(rows, size, ints(tokens), floats(table), floats(y), pool()); });
}

UNROLL_NATIVE(void, SequenceNative, embeddingBackward)
(JNIEnv* env, jclass, jlong rows, jlong size, jlong tokens, jlong d_y, jlong index, jlong d_table) {
  guarded(env, [&] {
    kernels().embedding_backward(rows, size, ints(tokens), floats(d_y), ints(index), floats(d_table), pool());
  });
}

UNROLL_NATIVE(jboolean, SequenceNative, rowOrder)
(JNIEnv* env, jclass, jintArray offsets, jint sequences, jlong a, jint a_columns, jlong b, jint b_columns, jlong rows) {
  const Ints starts(env, offsets);
  if (starts.data() == nullptr) return false;
  const Steps steps{starts.data(), nullptr, env->GetArrayLength(offsets) - 1, sequences};
  return guarded(env,
                 [&] { return kernels().row_order(steps, floats(a), a_columns, floats(b), b_columns, ints(rows)); });
}

UNROLL_NATIVE(void, SequenceNative, pool)
(JNIEnv* env, jclass, jint kind, jintArray offsets, jintArray order, jint features, jlong x, jlong y) {
  with_steps(env, offsets, order, [&](const Steps& steps) {
    kernels().pool_steps(static_cast<PoolingKind>(kind), steps, features, floats(x), floats(y), pool());
  });
}

UNROLL_NATIVE(void, SequenceNative, poolBackward)
(JNIEnv* env, jclass, jint kind, jintArray offsets, jintArray order, jint features, jlong x, jlong y, jlong d_y,
 jlong d_x) {
  with_steps(env, offsets, order, [&](const Steps& steps) {
    kernels().pool_steps_backward(static_cast<PoolingKind>(kind), steps, features, floats(x), floats(y), floats(d_y),
                                  floats(d_x), pool());
  });
}

UNROLL_NATIVE(void, SequenceNative, dropout)
(JNIEnv* env, jclass, jdouble probability, jlong key, jintArray offsets, jintArray order, jint features, jlong x,
 jlong y) {
  with_steps(env, offsets, order, [&](const Steps& steps) {
    kernels().dropout(probability, static_cast<uint64_t>(key), steps, features, floats(x), floats(y), pool());
  });
}
