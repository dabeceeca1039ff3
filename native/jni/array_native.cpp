#include "jni/border.h"

using namespace unroll;
using namespace unroll::border;

UNROLL_NATIVE(jdouble, ArrayNative, sum)(JNIEnv* env, jclass, jlong x, jlong index, jlong size) {
  return guarded(env, [&] { return kernels().array_sum(floats(x), ints(index), size, pool()); });
}

UNROLL_NATIVE(void, ArrayNative, elementLoss)
(JNIEnv* env, jclass, jint kind, jfloat delta, jlong rows, jlong columns, jlong x, jlong target, jlong weights,
 jlong weight_columns, jfloat gradient_scale, jlong losses, jlong d_x) {
  guarded(env, [&] {
    kernels().element_loss({static_cast<ElementLossKind>(kind), delta}, rows, columns, floats(x), floats(target),
                           floats(weights), weight_columns, gradient_scale, floats(losses), floats(d_x), pool());
  });
}

UNROLL_NATIVE(void, ArrayNative, rowSums)(JNIEnv* env, jclass, jlong rows, jlong columns, jlong x, jlong y) {
  guarded(env, [&] { kernels().row_sums(rows, columns, floats(x), floats(y), pool()); });
}

UNROLL_NATIVE(void, ArrayNative, product)(JNIEnv* env, jclass, jlong a, jlong b, jlong y, jlong size) {
  guarded(env, [&] { kernels().product(floats(a), floats(b), floats(y), size, pool()); });
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
