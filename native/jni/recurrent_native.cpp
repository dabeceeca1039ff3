#include "jni/border.h"

using namespace unroll;
using namespace unroll::border;

namespace {

/// The arrays that describe a call, put together as the kernels want them.
class Call {
 public:
  Call(JNIEnv* env, jlongArray call, jlongArray layers, jintArray offsets, jintArray order)
      : call_(env, call), layers_(env, layers), offsets_(env, offsets), order_(env, order) {
    if (!complete()) return;
    RecurrentCall& fields = *call_.as<RecurrentCall>();
    fields.layers = layers_.as<RecurrentLayer>();
    fields.steps.offsets = offsets_.data();
    fields.steps.order = order_.data();
  }

  bool complete() const { return call_.data() && layers_.data() && offsets_.data() && order_.data(); }
  const RecurrentCall& fields() const { return *call_.as<RecurrentCall>(); }

 private:
  const Longs call_, layers_;
  const Ints offsets_, order_;
};

}  // namespace

UNROLL_NATIVE(void, RecurrentNative, forward)(JNIEnv* env, jclass, jlongArray call, jlongArray layers,
                                              jintArray offsets, jintArray order) {
  const Call recurrent(env, call, layers, offsets, order);
  if (!recurrent.complete()) return;
  guarded(env, [&] { kernels().recurrent_forward(recurrent.fields(), pool()); });
}

UNROLL_NATIVE(void, RecurrentNative, backward)(JNIEnv* env, jclass, jlongArray call, jlongArray layers,
                                               jlongArray gradients, jintArray offsets, jintArray order) {
  const Call recurrent(env, call, layers, offsets, order);
  const Longs gradient(env, gradients);
  if (!recurrent.complete() || gradient.data() == nullptr) return;
  guarded(env, [&] { kernels().recurrent_backward(recurrent.fields(), gradient.as<RecurrentGradient>(), pool()); });
}
