#include "jni/border.h"

using namespace unroll;
using namespace unroll::border;

UNROLL_NATIVE(void, SequenceNative, pack)(JNIEnv* env, jclass, jintArray offsets, jint sequence, jint length,
                                          jint features, jfloatArray from, jint from_offset, jlong packed) {
  const Pinned<int32_t> starts(env, offsets, JNI_ABORT);
  const Pinned<float> rows(env, from, JNI_ABORT);
  if (!starts.data() || !rows.data()) return;
  kernels().pack_sequence(starts.data(), sequence, length, features, rows.data() + from_offset, floats(packed));
}

UNROLL_NATIVE(void, SequenceNative, unpack)(JNIEnv* env, jclass, jintArray offsets, jint sequence, jint length,
                                            jint features, jlong packed, jfloatArray to, jint to_offset) {
  const Pinned<int32_t> starts(env, offsets, JNI_ABORT);
  const Pinned<float> rows(env, to, 0);
  if (!starts.data() || !rows.data()) return;
  kernels().unpack_sequence(starts.data(), sequence, length, features, floats(packed), rows.data() + to_offset);
}

UNROLL_NATIVE(void, SequenceNative, gatherRows)(JNIEnv* env, jclass, jint rows, jint features, jintArray index,
                                                jlong from, jlong to) {
  const Ints sources(env, index);
  if (sources.data() == nullptr) return;
  guarded(env, [&] { kernels().gather_rows(rows, features, sources.data(), floats(from), floats(to), pool()); });
}

UNROLL_NATIVE(void, SequenceNative, scatterAddRows)(JNIEnv* env, jclass, jint rows, jint features, jintArray index,
                                                    jlong from, jlong to) {
  const Ints targets(env, index);
  if (targets.data() == nullptr) return;
  guarded(env, [&] { kernels().scatter_add_rows(rows, features, targets.data(), floats(from), floats(to)); });
}

UNROLL_NATIVE(void, SequenceNative, embeddingForward)(JNIEnv* env, jclass, jlong rows, jlong size, jlong tokens,
                                                      jlong table, jlong y) {
  guarded(env, [&] { kernels().embedding_forward(rows, size, ints(tokens), floats(table), floats(y), pool()); });
}

UNROLL_NATIVE(void, SequenceNative, embeddingBackward)(JNIEnv* env, jclass, jlong rows, jlong size, jlong tokens,
                                                       jlong d_y, jlong d_table) {
  guarded(env, [&] { kernels().embedding_backward(rows, size, ints(tokens), floats(d_y), floats(d_table), pool()); });
}
