#include "jni/border.h"

using namespace unroll;
using namespace unroll::border;

namespace {

ParameterList list_of(const Longs& parameters) {
  return {parameters.as<ParameterArrays>(), static_cast<int64_t>(parameters.bytes() / sizeof(ParameterArrays))};
}

}  // namespace

UNROLL_NATIVE(jdouble, OptimizerNative, gradientNorm)(JNIEnv* env, jclass, jlongArray parameters) {
  const Longs list(env, parameters);
  if (list.data() == nullptr) return 0.0;
  return guarded(env, [&] { return kernels().gradient_norm(list_of(list), pool()); });
}

UNROLL_NATIVE(void, OptimizerNative, sgd)
(JNIEnv* env, jclass, jdouble scale, jdouble clip_norm, jfloat learning_rate, jfloat momentum, jlongArray parameters) {
  const Longs list(env, parameters);
  if (list.data() == nullptr) return;
  guarded(env, [&] { kernels().sgd_step({{scale, clip_norm}, learning_rate, momentum}, list_of(list), pool()); });
}

UNROLL_NATIVE(void, OptimizerNative, adam)
(JNIEnv* env, jclass, jdouble scale, jdouble clip_norm, jfloat step_size, jfloat beta1, jfloat one_minus_beta1,
 jfloat beta2, jfloat one_minus_beta2, jfloat variance_correction, jfloat epsilon, jfloat kept_weight,
 jlongArray parameters) {
  const Longs list(env, parameters);
  if (list.data() == nullptr) return;
  guarded(env, [&] {
    kernels().adam_step({{scale, clip_norm},
                         step_size,
                         beta1,
                         one_minus_beta1,
                         beta2,
                         one_minus_beta2,
                         variance_correction,
                         epsilon,
                         kept_weight},
                        list_of(list), pool());
  });
}
