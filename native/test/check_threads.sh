#!/usr/bin/env bash
# Runs the native tests of the thread pool and of what it shares out under ThreadSanitizer: whatever a thread reads or
# writes that was not handed over to it is reported. Some minutes on two cores. Needs what the build needs.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=target/threads
tests=(thread_pool_test sharing_trials_test recurrence_test)
cmake -S . -B "$build" -DUNROLL_JNI=OFF -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_CXX_FLAGS="-fsanitize=thread" >/dev/null
cmake --build "$build" --parallel "$(nproc)" --target "${tests[@]}" >/dev/null

export TSAN_OPTIONS=halt_on_error=1:allocator_may_return_null=1
for test in "${tests[@]}"; do "$build/$test"; done
