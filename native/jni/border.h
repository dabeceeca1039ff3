#pragma once

/// What every native method needs: addresses to pointers, the floating-point state, and C++ failures to Java
/// exceptions.

#include <jni.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <new>

#include "kernels/parallel.h"
#include "runtime/dispatch.h"
#include "runtime/floating_point.h"
#include "runtime/thread_pool.h"

#define UNROLL_NATIVE(Result, Class, method) \
  extern "C" JNIEXPORT Result JNICALL Java_dev_unroll_internal_##Class##_##method

namespace unroll::border {

inline float* floats(jlong address) { return reinterpret_cast<float*>(address); }
inline int32_t* ints(jlong address) { return reinterpret_cast<int32_t*>(address); }

inline void throw_java(JNIEnv* env, const char* type, const char* message) {
  if (const jclass exception = env->FindClass(type)) env->ThrowNew(exception, message);
}

/// Runs `body` in the kernels' floating-point state; a C++ exception becomes a Java one.
template <class Body>
auto guarded(JNIEnv* env, const Body& body) -> decltype(body()) {
  try {
    const FlushDenormals scope;
    return body();
  } catch (const std::bad_alloc&) {
    throw_java(env, "java/lang/OutOfMemoryError", "no native memory for the scratch space of a thread");
  } catch (const std::exception& e) {
    throw_java(env, "java/lang/IllegalStateException", e.what());
  }
  return decltype(body())();
}

/// A copy of a Java array's elements, of few of them here: Java's own copies take memory of the heap in every call.
/// data() is null, with a Java exception pending, if there is no memory for them; then no others are `wanted`.
template <class Array, class Element, void (JNIEnv::*kCopy)(Array, jsize, jsize, Element*)>
class Elements {
 public:
  Elements(JNIEnv* env, Array array, bool wanted = true) {
    if (!wanted) {
      elements_ = nullptr;
      return;
    }
    size_ = env->GetArrayLength(array);
    if (size_ > kFew) {
      many_.reset(new (std::nothrow) Element[static_cast<size_t>(size_)]);
      elements_ = many_.get();
    }
    if (elements_ == nullptr) {
      throw_java(env, "java/lang/OutOfMemoryError", "no native memory for what describes a batch");
    } else {
      (env->*kCopy)(array, 0, size_, elements_);
    }
  }
  Elements(const Elements&) = delete;
  Elements& operator=(const Elements&) = delete;

  Element* data() const { return elements_; }
  size_t bytes() const { return static_cast<size_t>(size_) * sizeof(Element); }

  /// The elements as consecutive structs of 8-byte fields.
  template <class Struct>
  Struct* as() const {
    static_assert(sizeof(Struct) % sizeof(Element) == 0 && sizeof(void*) == sizeof(Element));
    return reinterpret_cast<Struct*>(elements_);
  }

 private:
  static constexpr jsize kFew = 128;

  jsize size_ = 0;
  std::unique_ptr<Element[]> many_;
  Element few_[kFew];
  Element* elements_ = few_;
};

using Longs = Elements<jlongArray, jlong, &JNIEnv::GetLongArrayRegion>;
using Ints = Elements<jintArray, jint, &JNIEnv::GetIntArrayRegion>;

/// The elements of a Java array in place, for a short copy only: the collector waits meanwhile. data() is null, with a
/// Java exception pending, if they could not be had; then no others are `wanted`.
template <class Element>
class Pinned {
 public:
  Pinned(JNIEnv* env, jarray array, jint release_mode, bool wanted = true)
      : env_(env),
        array_(array),
        release_mode_(release_mode),
        elements_(wanted ? static_cast<Element*>(env->GetPrimitiveArrayCritical(array, nullptr)) : nullptr) {}
  ~Pinned() {
    if (elements_ != nullptr) env_->ReleasePrimitiveArrayCritical(array_, elements_, release_mode_);
  }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;

  Element* data() const { return elements_; }

 private:
  JNIEnv* env_;
  jarray array_;
  jint release_mode_;
  Element* elements_;
};

/// The first arrays of an array of arrays, all in place at once, for a short copy only; data() is null, with a Java
/// exception pending, if one could not be had. No array may be null.
template <class Element>
class PinnedRows {
 public:
  static constexpr jint kMost = 64;

  PinnedRows(JNIEnv* env, jobjectArray arrays, jint count, jint release_mode)
      : env_(env), release_mode_(release_mode), is_local_(env->PushLocalFrame(count) == 0) {
    if (!is_local_) return;
    for (jint i = 0; i < count; ++i) arrays_[i] = static_cast<jarray>(env->GetObjectArrayElement(arrays, i));
    // Between the first and the last of these there is no other call of Java.
    for (; pinned_ < count; ++pinned_) {
      elements_[pinned_] = static_cast<Element*>(env->GetPrimitiveArrayCritical(arrays_[pinned_], nullptr));
      if (elements_[pinned_] == nullptr) return;
    }
    is_whole_ = true;
  }
  ~PinnedRows() {
    while (pinned_-- > 0) env_->ReleasePrimitiveArrayCritical(arrays_[pinned_], elements_[pinned_], release_mode_);
    if (is_local_) env_->PopLocalFrame(nullptr);
  }
  PinnedRows(const PinnedRows&) = delete;
  PinnedRows& operator=(const PinnedRows&) = delete;

  Element* const* data() const { return is_whole_ ? elements_ : nullptr; }

 private:
  JNIEnv* env_;
  jint release_mode_;
  bool is_local_, is_whole_ = false;
  jint pinned_ = 0;
  jarray arrays_[kMost];
  Element* elements_[kMost];
};

}  // namespace unroll::border
