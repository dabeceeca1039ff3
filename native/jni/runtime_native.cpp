#include <string>

#include "jni/border.h"

using namespace unroll;
using namespace unroll::border;

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM*, void*) { return JNI_VERSION_1_8; }

/// The class loader is gone: so are the threads. The code stays mapped (-z nodelete), for a thread that is on its way
/// out.
JNIEXPORT void JNICALL JNI_OnUnload(JavaVM*, void*) { pool().resize(1); }

UNROLL_NATIVE(jboolean, RuntimeNative, selectInstructionSet)(JNIEnv* env, jclass, jstring name) {
  const char* text = env->GetStringUTFChars(name, nullptr);
  if (text == nullptr) return JNI_FALSE;
  const Kernels* const table = find_kernels(text);
  env->ReleaseStringUTFChars(name, text);
  if (table == nullptr) return JNI_FALSE;
  select_kernels(*table);
  return JNI_TRUE;
}

UNROLL_NATIVE(jstring, RuntimeNative, instructionSet)(JNIEnv* env, jclass) { return env->NewStringUTF(kernels().name); }

UNROLL_NATIVE(jint, RuntimeNative, supportedInstructionSets)(JNIEnv*, jclass) {
  return static_cast<jint>(supported_kernels().size());
}

UNROLL_NATIVE(jstring, RuntimeNative, supportedInstructionSet)(JNIEnv* env, jclass, jint index) {
  return env->NewStringUTF(supported_kernels()[static_cast<size_t>(index)]->name);
}

UNROLL_NATIVE(jint, RuntimeNative, threads)(JNIEnv* env, jclass) {
  return guarded(env, [] { return pool().width(); });
}

UNROLL_NATIVE(void, RuntimeNative, setThreads)(JNIEnv* env, jclass, jint threads) {
  guarded(env, [&] { pool().resize(threads); });
}

UNROLL_NATIVE(jlong, RuntimeNative, floatingPointControl)(JNIEnv*, jclass) {
  return static_cast<jlong>(floating_point_control());
}
