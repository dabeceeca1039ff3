#include "jni/border.h"

using namespace unroll;
using namespace unroll::border;

namespace {

/// Where the cells of a padded batch are; the arrays' elements follow.
PaddedRows padded_rows(JNIEnv* env, jintArray offsets, jintArray order, jlong sequence_stride, jlong step_stride,
                       jint features, jlong first_cell, jlong cells) {
  const Steps steps{nullptr, nullptr, env->GetArrayLength(offsets) - 1, env->GetArrayLength(order)};
  return {steps, sequence_stride, step_stride, features, first_cell, cells};
}

PaddedRows with_elements(PaddedRows rows, const int32_t* offsets, const int32_t* order) {
  rows.steps.offsets = offsets;
  rows.steps.order = order;
  return rows;
}

}  // namespace

UNROLL_NATIVE(void, SequenceNative, pack)
(JNIEnv* env, jclass, jintArray offsets, jint first_step, jint sequence, jint length, jint features, jfloatArray from,
 jint from_offset, jlong packed) {
  const Pinned<int32_t> starts(env, offsets, JNI_ABORT);
  const Pinned<float> rows(env, from, JNI_ABORT);
  if (!starts.data() || !rows.data()) return;
  kernels().pack_sequence(starts.data() + first_step, sequence, length, features, rows.data() + from_offset,
                          floats(packed));
}

UNROLL_NATIVE(void, SequenceNative, unpack)
(JNIEnv* env, jclass, jintArray offsets, jint first_step, jint sequence, jint length, jint features, jlong packed,
 jfloatArray to, jint to_offset) {
  const Pinned<int32_t> starts(env, offsets, JNI_ABORT);
  const Pinned<float> rows(env, to, 0);
  if (!starts.data() || !rows.data()) return;
  kernels().unpack_sequence(starts.data() + first_step, sequence, length, features, floats(packed),
                            rows.data() + to_offset);
}

UNROLL_NATIVE(void, SequenceNative, packPaddedArray)
(JNIEnv* env, jclass, jintArray offsets, jintArray order, jlong sequence_stride, jlong step_stride, jint features,
 jlong first_cell, jlong cells, jfloatArray padded, jint start, jlong packed) {
  const PaddedRows rows = padded_rows(env, offsets, order, sequence_stride, step_stride, features, first_cell, cells);
  Alone alone(nullptr);  // threads must not be waited for while elements are pinned
  const Pinned<int32_t> starts(env, offsets, JNI_ABORT), sequences(env, order, JNI_ABORT);
  const Pinned<float> from(env, padded, JNI_ABORT);
  if (!starts.data() || !sequences.data() || !from.data()) return;
  kernels().pack_padded(with_elements(rows, starts.data(), sequences.data()), from.data() + start, floats(packed),
                        alone);
}

UNROLL_NATIVE(void, SequenceNative, unpackPaddedArray)
(JNIEnv* env, jclass, jintArray offsets, jintArray order, jlong sequence_stride, jlong step_stride, jint features,
 jlong first_cell, jlong cells, jlong packed, jfloat padding, jfloatArray padded, jint start) {
  const PaddedRows rows = padded_rows(env, offsets, order, sequence_stride, step_stride, features, first_cell, cells);
  Alone alone(nullptr);  // threads must not be waited for while elements are pinned
  const Pinned<int32_t> starts(env, offsets, JNI_ABORT), sequences(env, order, JNI_ABORT);
  const Pinned<float> to(env, padded, 0);
  if (!starts.data() || !sequences.data() || !to.data()) return;
  kernels().unpack_padded(with_elements(rows, starts.data(), sequences.data()), floats(packed), padding,
                          to.data() + start, alone);
}

UNROLL_NATIVE(void, SequenceNative, packPadded)
(JNIEnv* env, jclass, jintArray offsets, jintArray order, jlong sequence_stride, jlong step_stride, jint features,
 jlong cells, jlong padded, jlong packed) {
  const PaddedRows rows = padded_rows(env, offsets, order, sequence_stride, step_stride, features, 0, cells);
  const Ints starts(env, offsets), sequences(env, order);
  if (!starts.data() || !sequences.data()) return;
  guarded(env, [&] {
    kernels().pack_padded(with_elements(rows, starts.data(), sequences.data()), floats(padded), floats(packed), pool());
  });
}

UNROLL_NATIVE(void, SequenceNative, unpackPadded)
(JNIEnv* env, jclass, jintArray offsets, jintArray order, jlong sequence_stride, jlong step_stride, jint features,
 jlong cells, jlong packed, jfloat padding, jlong padded) {
  const PaddedRows rows = padded_rows(env, offsets, order, sequence_stride, step_stride, features, 0, cells);
  const Ints starts(env, offsets), sequences(env, order);
  if (!starts.data() || !sequences.data()) return;
  guarded(env, [&] {
    kernels().unpack_padded(with_elements(rows, starts.data(), sequences.data()), floats(packed), padding,
                            floats(padded), pool());
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
