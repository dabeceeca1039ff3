#!/usr/bin/env bash
# Builds the portable kernels for aarch64 and runs them under emulation: the native tests, whose bits must be those of a
# build for this machine, and the Java program that compares all models with the committed hashes, on an aarch64 JVM that
# it takes from Debian's archive (45 MB, unpacked below target/, nothing is installed).
# Needs: apt-get install cmake make g++ g++-aarch64-linux-gnu qemu-user
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/target/aarch64
system=$build/system
tests=(element_loss elementwise matmul packing recurrence rows softmax steps)

build_native() {  # folder, further options of CMake
  cmake -S "$root" -B "$1" "${@:2}" >/dev/null
  cmake --build "$1" --parallel "$(nproc)" >/dev/null
}
build_native "$build/here" -DUNROLL_JNI=OFF
build_native "$build/there" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
  -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++

status=0
for test in "${tests[@]}"; do
  here=$("$build/here/${test}_test")
  there=$(qemu-aarch64 -L /usr/aarch64-linux-gnu "$build/there/${test}_test") || status=1
  [[ $here == "$there" ]] && verdict=equal || { verdict=DIFFERENT; status=1; }
  printf '%-50s aarch64 %s\n' "$here" "$verdict"
done

if ! compgen -G "$system/usr/lib/jvm/*/bin/java" >/dev/null; then
  mkdir -p "$build/apt/lists/partial" "$build/apt/archives/partial" "$system"
  foreign=(-o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::State="$build/apt" -o Dir::Cache="$build/apt"
           -o Dir::State::status=/dev/null -o APT::Sandbox::User=)
  apt-get "${foreign[@]}" -qq update
  (cd "$build/apt" && apt-get "${foreign[@]}" -qq download openjdk-17-jre-headless zlib1g libc6 libgcc-s1 libstdc++6)
  for package in "$build"/apt/*.deb; do dpkg-deb -x "$package" "$system"; done
fi
java=$(compgen -G "$system/usr/lib/jvm/*/bin/java" | head -1)
cd "$root"
mvn -q -B -Pgolden test \
  -Dgolden.args="--java 'qemu-aarch64 -L $system $java -Dunroll.library.path=$build/there/libunroll.so'" || status=1
exit $status
