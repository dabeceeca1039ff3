#include "jni/border.h"

using namespace unroll;
using namespace unroll::border;

UNROLL_NATIVE(void, MatrixNative, packPanels)
(JNIEnv* env, jclass, jlong w, jlong ldw, jlong k, jlong columns, jlong groups, jboolean transposed, jlong panels) {
  guarded(env, [&] { kernels().pack_panels(floats(w), ldw, k, columns, groups, transposed, floats(panels), pool()); });
}

UNROLL_NATIVE(void, MatrixNative, matmul)
(JNIEnv* env, jclass, jlong rows, jlong k, jlong columns, jlong a, jlong w, jint form, jlong bias, jboolean accumulate,
 jlong c) {
  guarded(env, [&] {
    kernels().matmul(rows, k, columns, floats(a), k, floats(w), static_cast<WeightForm>(form), floats(bias), accumulate,
                     floats(c), columns, pool());
  });
}

UNROLL_NATIVE(void, MatrixNative, matmulTransposed)
(JNIEnv* env, jclass, jlong rows, jlong outputs, jlong columns, jlong a, jlong b, jlong index, jlong c, jlong sums) {
  guarded(env, [&] {
    kernels().matmul_transposed(rows, outputs, columns, floats(a), outputs, ints(index), floats(b), columns,
                                ints(index), floats(c), columns, floats(sums), pool());
  });
}
