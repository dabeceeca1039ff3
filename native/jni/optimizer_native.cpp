#include "jni/border.h"

using namespace unroll;
using namespace unroll::border;

UNROLL_NATIVE(void, OptimizerNative, sgd)
(JNIEnv* env, jclass, jfloat learning_rate, jfloat momentum, jfloat gradient_scale, jlong size, jlong gradient,
 jlong momentum_buffer, jlong weights) {
  guarded(env, [&] {
    kernels().sgd_step({learning_rate, momentum, gradient_scale}, size, floats(gradient), floats(momentum_buffer),
                       floats(weights), pool());
  });
}

UNROLL_NATIVE(void, OptimizerNative, adam)
(JNIEnv* env, jclass, jfloat step_size, jfloat beta1, jfloat one_minus_beta1, jfloat beta2, jfloat one_minus_beta2,
 jfloat variance_correction, jfloat epsilon, jfloat gradient_scale, jlong size, jlong gradient, jlong mean,
 jlong variance, jlong weights) {
  guarded(env, [&] {
    kernels().adam_step(
        {step_size, beta1, one_minus_beta1, beta2, one_minus_beta2, variance_correction, epsilon, gradient_scale}, size,
        floats(gradient), floats(mean), floats(variance), floats(weights), pool());
  });
}
