#include <cstddef>
#include <cstring>

#include "jni/border.h"
#include "runtime/recurrent_passes.h"

using namespace unroll;
using namespace unroll::border;

namespace {

// What RecurrentTape and BackwardBuffers write.
static_assert(sizeof(RecurrentLayer) == 18 * sizeof(jlong) && sizeof(RecurrentGradient) == 24 * sizeof(jlong));

/// The arrays that describe a call, put together as the kernels want them.
class Call {
 public:
  Call(JNIEnv* env, jlongArray call, jlongArray layers, jintArray offsets, jintArray order)
      : call_(env, call),
        layers_(env, layers, call_.data()),
        offsets_(env, offsets, layers_.data()),
        order_(env, order, offsets_.data()) {
    if (!complete()) return;
    RecurrentCall& fields = *call_.as<RecurrentCall>();
    fields.layers = layers_.as<RecurrentLayer>();
    fields.steps.offsets = offsets_.data();
    fields.steps.order = order_.data();
  }

  /// A copy of everything at `to`, which then needs none of the arrays.
  void copy_to(jlong to) const {
    std::byte* next = reinterpret_cast<std::byte*>(to);
    const auto append = [&](const auto& elements) {
      std::byte* const start = next;
      std::memcpy(start, elements.data(), elements.bytes());
      next += elements.bytes();
      return start;
    };
    RecurrentCall& fields = *reinterpret_cast<RecurrentCall*>(append(call_));
    fields.layers = reinterpret_cast<const RecurrentLayer*>(append(layers_));
    fields.steps.offsets = reinterpret_cast<const int32_t*>(append(offsets_));
    fields.steps.order = reinterpret_cast<const int32_t*>(append(order_));
  }

  bool complete() const { return order_.data() != nullptr; }
  const RecurrentCall& fields() const { return *call_.as<RecurrentCall>(); }

 private:
  const Longs call_, layers_;
  const Ints offsets_, order_;
};

}  // namespace

UNROLL_NATIVE(void, RecurrentNative, forward)
(JNIEnv* env, jclass, jlongArray call, jlongArray layers, jintArray offsets, jintArray order) {
  const Call recurrent(env, call, layers, offsets, order);
  if (!recurrent.complete()) return;
  guarded(env, [&] { recurrent_forward(kernels(), recurrent.fields(), pool()); });
}

UNROLL_NATIVE(void, RecurrentNative, prepare)
(JNIEnv* env, jclass, jlongArray call, jlongArray layers, jintArray offsets, jintArray order, jlong to) {
  const Call recurrent(env, call, layers, offsets, order);
  if (recurrent.complete()) recurrent.copy_to(to);
}

UNROLL_NATIVE(void, RecurrentNative, step)
(JNIEnv* env, jclass, jlong description, jfloatArray input, jlong x, jfloatArray output, jlong y) {
  env->GetFloatArrayRegion(input, 0, env->GetArrayLength(input), floats(x));
  const bool done = guarded(env, [&] {
    recurrent_forward(kernels(), *reinterpret_cast<const RecurrentCall*>(description), pool());
    return true;
  });
  if (done) env->SetFloatArrayRegion(output, 0, env->GetArrayLength(output), floats(y));
}

UNROLL_NATIVE(void, RecurrentNative, backward)
(JNIEnv* env, jclass, jlongArray call, jlongArray layers, jlongArray gradients, jintArray offsets, jintArray order) {
  const Call recurrent(env, call, layers, offsets, order);
  const Longs gradient(env, gradients, recurrent.complete());
  if (!gradient.data()) return;
  guarded(env, [&] { recurrent_backward(kernels(), recurrent.fields(), gradient.as<RecurrentGradient>(), pool()); });
}
