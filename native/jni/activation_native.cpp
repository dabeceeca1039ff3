#include "jni/border.h"

using namespace unroll;
using namespace unroll::border;

UNROLL_NATIVE(void, ActivationNative, forward)(JNIEnv* env, jclass, jint kind, jlong x, jlong y, jlong size) {
  guarded(env, [&] { kernels().activation(static_cast<ActivationKind>(kind), floats(x), floats(y), size, pool()); });
}

UNROLL_NATIVE(void, ActivationNative, backward)
(JNIEnv* env, jclass, jint kind, jlong y, jlong d_y, jlong d_x, jlong size) {
  guarded(env, [&] {
    kernels().activation_backward(static_cast<ActivationKind>(kind), floats(y), floats(d_y), floats(d_x), size, pool());
  });
}
