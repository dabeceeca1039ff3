#include "jni/border.h"

using namespace unroll;
using namespace unroll::border;

UNROLL_NATIVE(void, SoftmaxNative, softmax)
(JNIEnv* env, jclass, jlong rows, jlong columns, jlong x, jfloat scale, jlong y) {
  guarded(env, [&] { kernels().softmax(rows, columns, floats(x), scale, floats(y), pool()); });
}

UNROLL_NATIVE(void, SoftmaxNative, logSoftmax)
(JNIEnv* env, jclass, jlong rows, jlong columns, jlong x, jfloat scale, jlong y) {
  guarded(env, [&] { kernels().log_softmax(rows, columns, floats(x), scale, floats(y), pool()); });
}

UNROLL_NATIVE(void, SoftmaxNative, softmaxBackward)
(JNIEnv* env, jclass, jlong rows, jlong columns, jlong y, jlong d_y, jfloat scale, jlong d_x) {
  guarded(env, [&] { kernels().softmax_backward(rows, columns, floats(y), floats(d_y), scale, floats(d_x), pool()); });
}

UNROLL_NATIVE(void, SoftmaxNative, crossEntropy)
(JNIEnv* env, jclass, jlong rows, jlong columns, jlong logits, jlong labels, jlong weights, jfloat smoothing,
 jfloat gradient_scale, jlong losses, jlong d_logits) {
  guarded(env, [&] {
    kernels().softmax_cross_entropy(rows, columns, floats(logits), ints(labels), floats(weights), smoothing,
                                    gradient_scale, floats(losses), floats(d_logits), pool());
  });
}
