#include <algorithm>
#include <cstring>

#include "jni/border.h"
#include "runtime/memory.h"

using namespace unroll;
using namespace unroll::border;

UNROLL_NATIVE(jlong, MemoryNative, allocate)(JNIEnv*, jclass, jlong bytes) {
  return reinterpret_cast<jlong>(allocate(bytes));
}

UNROLL_NATIVE(void, MemoryNative, release)(JNIEnv*, jclass, jlong address) {
  release(reinterpret_cast<void*>(address));
}

UNROLL_NATIVE(void, MemoryNative, clear)(JNIEnv*, jclass, jlong address, jlong bytes) {
  std::memset(reinterpret_cast<void*>(address), 0, static_cast<size_t>(bytes));
}

UNROLL_NATIVE(void, MemoryNative, fill)(JNIEnv*, jclass, jlong address, jlong size, jfloat value) {
  std::fill_n(floats(address), size, value);
}

UNROLL_NATIVE(void, MemoryNative, copy)(JNIEnv*, jclass, jlong from, jlong to, jlong bytes) {
  std::memcpy(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), static_cast<size_t>(bytes));
}

UNROLL_NATIVE(jlong, MemoryNative, bufferAddress)(JNIEnv* env, jclass, jobject buffer) {
  return reinterpret_cast<jlong>(env->GetDirectBufferAddress(buffer));
}

UNROLL_NATIVE(jobject, MemoryNative, buffer)(JNIEnv* env, jclass, jlong address, jlong bytes) {
  return env->NewDirectByteBuffer(reinterpret_cast<void*>(address), bytes);
}

UNROLL_NATIVE(jobject, MemoryNative, fieldValue)(JNIEnv* env, jclass, jobject field, jobject object) {
  return env->GetObjectField(object, env->FromReflectedField(field));
}

UNROLL_NATIVE(void, MemoryNative, putFloatsAtOnce)
(JNIEnv* env, jclass, jlong to, jfloatArray from, jint offset, jint size) {
  env->GetFloatArrayRegion(from, offset, size, floats(to));
}

UNROLL_NATIVE(void, MemoryNative, getFloatsAtOnce)
(JNIEnv* env, jclass, jlong from, jfloatArray to, jint offset, jint size) {
  env->SetFloatArrayRegion(to, offset, size, floats(from));
}

UNROLL_NATIVE(void, MemoryNative, putIntsAtOnce)
(JNIEnv* env, jclass, jlong to, jintArray from, jint offset, jint size) {
  env->GetIntArrayRegion(from, offset, size, ints(to));
}

UNROLL_NATIVE(void, MemoryNative, getIntsAtOnce)
(JNIEnv* env, jclass, jlong from, jintArray to, jint offset, jint size) {
  env->SetIntArrayRegion(to, offset, size, ints(from));
}
