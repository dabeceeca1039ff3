#!/bin/sh
# Usage: check_symbols.sh nm object ...
# Fails if the kernels of an instruction set hold a function that other objects may hold too: the linker keeps one of
# them, which another processor might not be able to run.
set -eu
nm=$1
shift
for object in "$@"; do
  if "$nm" -C "$object" | grep ' W ' | grep -v -E 'unroll::(avx2|avx512)::'; then
    echo "shared with other objects: the functions above of $object" >&2
    exit 1
  fi
done
echo "no function is shared"
