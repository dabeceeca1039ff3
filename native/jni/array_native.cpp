#include "jni/border.h"

using namespace unroll;
using namespace unroll::border;

UNROLL_NATIVE(jdouble, ArrayNative, sum)(JNIEnv* env, jclass, jlong x, jlong size) {
  return guarded(env, [&] { return kernels().array_sum(floats(x), size, pool()); });
}

UNROLL_NATIVE(jdouble, ArrayNative, sumOfSquares)(JNIEnv* env, jclass, jlong x, jlong size) {
  return guarded(env, [&] { return kernels().sum_of_squares(floats(x), size, pool()); });
}

UNROLL_NATIVE(jdouble, ArrayNative, squaredError)(JNIEnv* env, jclass, jlong x, jlong target, jfloat gradient_scale,
                                                  jlong d_x, jlong size) {
  return guarded(env, [&] {
    return kernels().squared_error(floats(x), floats(target), gradient_scale, floats(d_x), size, pool());
  });
}

UNROLL_NATIVE(void, ArrayNative, uniform)(JNIEnv* env, jclass, jlong seed, jlong purpose, jlong first, jlong size,
                                          jfloat low, jfloat high, jlong y) {
  guarded(env, [&] {
    kernels().uniform(static_cast<uint64_t>(seed), static_cast<uint64_t>(purpose), first, size, low, high, floats(y));
  });
}
