#!/usr/bin/env bash
# Installs the C library alone and builds the C example against it, by pkg-config and by CMake; looks at what it exports:
#   install.sh SOURCE BUILD [CMAKE ARGUMENT]…
set -euo pipefail
source=$1 build=$2
shift 2
scratch="$build/tests/runtime/c_library"
fail() { echo "error: $*" >&2; exit 1; }
rm -rf "$scratch"
mkdir -p "$scratch"
unset DESTDIR CPATH C_INCLUDE_PATH LIBRARY_PATH
cmake --install "$build" --prefix "$scratch/prefix" --component c_library >"$scratch/install.log" ||
  { cat "$scratch/install.log"; exit 1; }
library=$(find "$scratch/prefix" -name 'libcoppice.so')
[ -n "$library" ] || fail "libcoppice.so was not installed"

foreign=$(nm -D --defined-only "$library" | awk '{print $3}' | grep -vE '^(coppice_[a-z_]+@@COPPICE_1|COPPICE_1)$' || true)
[ -z "$foreign" ] || fail "libcoppice.so exports more than coppice_*: $foreign"
readelf -d "$library" | grep -q 'SONAME.*libcoppice\.so\.1' || fail "the SONAME is not libcoppice.so.1"
if readelf -d "$library" | grep -E 'NEEDED.*lib(torch|c10)'; then fail "libcoppice.so needs libtorch"; fi

cat >"$scratch/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.25)
project(c_consumer LANGUAGES C)
find_package(coppice 0.1 REQUIRED COMPONENTS c)
add_executable(by_cmake "$source/tools/examples/run_model.c")
target_link_libraries(by_cmake PRIVATE coppice::c)
CMAKE
cmake -S "$scratch" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$scratch/prefix" "$@" >"$scratch/configure.log" 2>&1 ||
  { cat "$scratch/configure.log"; exit 1; }
cmake --build "$scratch/build" >"$scratch/build.log" 2>&1 || { cat "$scratch/build.log"; exit 1; }
says_usage() { { "$@" || true; } 2>&1 | grep -q usage; }
says_usage "$scratch/build/by_cmake" || fail "the program built by CMake does not start"

export PKG_CONFIG_PATH="$(dirname "$library")/pkgconfig"
if [ $# -eq 0 ]; then  # a sanitised library asks the program for the sanitisers
  # shellcheck disable=SC2046
  cc -std=c11 -Wall -Werror "$source/tools/examples/run_model.c" $(pkg-config --cflags --libs coppice) -o "$scratch/by_pkg_config"
  says_usage env LD_LIBRARY_PATH="$(dirname "$library")" "$scratch/by_pkg_config" ||
    fail "the program built by pkg-config does not start"
fi
