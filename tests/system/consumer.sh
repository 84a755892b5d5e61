#!/usr/bin/env bash
# Installs the libraries of a finished build, then configures, builds and runs tests/consumer against them:
#   consumer.sh SOURCE BUILD WITH_TRAIN [CMAKE ARGUMENT]…
set -euo pipefail
source=$1 build=$2 with_train=$3
shift 3
scratch="$build/tests/system/consumer"
fail() { echo "error: $*" >&2; exit 1; }
rm -rf "$scratch"
unset DESTDIR CPATH CPLUS_INCLUDE_PATH
cmake --install "$build" --prefix "$scratch/prefix" --component development >"$scratch.log" || { cat "$scratch.log"; exit 1; }

# A header that includes what was not installed would fail only in the program that needs it.
include="$scratch/prefix/include/coppice"
while IFS=: read -r header name; do
  [ -f "$include/$name" ] || fail "$header includes $name, which is not installed: list it in its module's HEADERS"
done < <(grep -rhoHE '^#include "[^"]+"' "$include" | sed 's/#include "//; s/"$//')

cmake -S "$source/tests/consumer" -B "$scratch/build" -G Ninja -DCMAKE_BUILD_TYPE=Debug \
  -DCMAKE_PREFIX_PATH="$scratch/prefix" "$@" >"$scratch/configure.log" 2>&1 || { cat "$scratch/configure.log"; exit 1; }
cmake --build "$scratch/build" || exit 1
"$scratch/build/run-model"
"$scratch/build/embedded-loop" "$source/configs/loop/fashion-mnist.yaml"
if [ "$with_train" = ON ]; then
  "$scratch/build/my-trainer" --list | grep confidence_penalty || fail "my-trainer doesn't list its own strategy"
fi
# Not readable as a build-tree path: the package must stand without its source.
! grep -rqE "$source/(framework|build)" "$scratch/prefix/lib/cmake" || fail "the package names the source or build folder"
