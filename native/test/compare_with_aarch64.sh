#!/usr/bin/env bash
# Builds the portable kernels for aarch64, runs the native tests under emulation, and compares the bits of all results with those
# of a build for this machine. Needs: apt-get install cmake make g++ g++-aarch64-linux-gnu qemu-user
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/target/aarch64}
tests=(elementwise matmul recurrence rows)

build_tests() {  # folder, further options of CMake
  cmake -S "$root" -B "$1" -DUNROLL_JNI=OFF "${@:2}" >/dev/null
  cmake --build "$1" --parallel "$(nproc)" --target "${tests[@]/%/_test}" >/dev/null
}
build_tests "$build/here"
build_tests "$build/there" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
  -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++

status=0
for test in "${tests[@]}"; do
  here=$("$build/here/${test}_test")
  there=$(qemu-aarch64 -L /usr/aarch64-linux-gnu "$build/there/${test}_test") || status=1
  [[ $here == "$there" ]] && verdict=equal || { verdict=DIFFERENT; status=1; }
  printf '%-50s aarch64 %s\n' "$here" "$verdict"
done
exit $status
