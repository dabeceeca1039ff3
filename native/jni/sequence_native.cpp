#include "jni/border.h"

using namespace unroll;
using namespace unroll::border;

UNROLL_NATIVE(void, SequenceNative, pack)(JNIEnv* env, jclass, jintArray offsets, jint first_step, jint sequence,
                                          jint length, jint features, jfloatArray from, jint from_offset,
                                          jlong packed) {
  const Pinned<int32_t> starts(env, offsets, JNI_ABORT);
  const Pinned<float> rows(env, from, JNI_ABORT);
  if (!starts.data() || !rows.data()) return;
  kernels().pack_sequence(starts.data() + first_step, sequence, length, features, rows.data() + from_offset,
                          floats(packed));
}

UNROLL_NATIVE(void, SequenceNative, unpack)(JNIEnv* env, jclass, jintArray offsets, jint first_step, jint sequence,
                                            jint length, jint features, jlong packed, jfloatArray to, jint to_offset) {
  const Pinned<int32_t> starts(env, offsets, JNI_ABORT);
  const Pinned<float> rows(env, to, 0);
  if (!starts.data() || !rows.data()) return;
  kernels().unpack_sequence(starts.data() + first_step, sequence, length, features, floats(packed),
                            rows.data() + to_offset);
}

UNROLL_NATIVE(void, SequenceNative, embeddingForward)(JNIEnv* env, jclass, jlong rows, jlong size, jlong tokens,
                                                      jlong table, jlong y) {
  guarded(env, [&] { kernels().embedding_forward(rows, size, ints(tokens), floats(table), floats(y), pool()); });
}

UNROLL_NATIVE(void, SequenceNative, embeddingBackward)(JNIEnv* env, jclass, jlong rows, jlong size, jlong tokens,
                                                       jlong d_y, jlong d_table) {
  guarded(env, [&] { kernels().embedding_backward(rows, size, ints(tokens), floats(d_y), floats(d_table), pool()); });
}
