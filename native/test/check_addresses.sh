#!/usr/bin/env bash
# Runs the Java tests on a library built with AddressSanitizer: whatever native code reads or writes beyond a block of
# native memory ends them with a report. A quarter of an hour on two cores. Needs what the build needs.
# Left out are tests of what the sanitizer changes: how the library is found, -Xcheck:jni's output, a lack of memory.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=target/addresses
cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_CXX_FLAGS="-fsanitize=address -fno-omit-frame-pointer" >/dev/null
cmake --build "$build" --parallel "$(nproc)" --target unroll >/dev/null
mvn -q -B test-compile

export JAVA_TOOL_OPTIONS="-Dunroll.library.path=$PWD/$build/libunroll.so"
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:handle_segv=0:allow_user_segv_handler=1
LD_PRELOAD=$(g++ -print-file-name=libasan.so) \
  mvn -B surefire:test -Dtest='!FloatingPointTest,!CheckJniTest,!NativeLibraryTest'
