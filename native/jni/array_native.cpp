#include "jni/border.h"

using namespace unroll;
using namespace unroll::border;

UNROLL_NATIVE(jdouble, ArrayNative, sum)(JNIEnv* env, jclass, jlong x, jlong index, jlong size) {
  return guarded(env, [&] { return kernels().array_sum(floats(x), ints(index), size, pool()); });
}

UNROLL_NATIVE(void, ArrayNative, squaredError)
(JNIEnv* env, jclass, jlong rows, jlong columns, jlong x, jlong target, jlong weights, jfloat gradient_scale,
 jlong losses, jlong d_x) {
  guarded(env, [&] {
    kernels().squared_error(rows, columns, floats(x), floats(target), floats(weights), gradient_scale, floats(losses),
                            floats(d_x), pool());
  });
}

UNROLL_NATIVE(void, ArrayNative, uniform)
(JNIEnv* env, jclass, jlong seed, jlong purpose, jlong first, jlong size, jfloat low, jfloat high, jlong y) {
  guarded(env, [&] {
    kernels().uniform(static_cast<uint64_t>(seed), static_cast<uint64_t>(purpose), first, size, low, high, floats(y));
  });
}

UNROLL_NATIVE(void, ArrayNative, scaledSum)
(JNIEnv* env, jclass, jlong x, jfloat factor, jlong z, jlong y, jlong size) {
  guarded(env, [&] { kernels().scaled_sum(floats(x), factor, floats(z), floats(y), size, pool()); });
}

UNROLL_NATIVE(void, ArrayNative, copyColumns)
(JNIEnv* env, jclass, jlong rows, jlong columns, jlong x, jlong ldx, jlong y, jlong ldy) {
  guarded(env, [&] { kernels().copy_columns(rows, columns, floats(x), ldx, floats(y), ldy, pool()); });
}
