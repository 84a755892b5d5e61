# How our own targets are compiled: link to `coppice_compiler` privately.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()
if(COPPICE_SANITIZE)
  # -Wno-maybe-uninitialized: GCC sees uninitialised reads in instrumented code that are not there (its manual, -fsanitize).
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
    -Wno-maybe-uninitialized)
  add_link_options(-fsanitize=address,undefined)
endif()

if(COPPICE_FUZZ)
  # vptr: protobuf's library is not instrumented.
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined
    -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

add_library(coppice_compiler INTERFACE)
target_compile_options(coppice_compiler INTERFACE -Wall -Wextra -Wshadow -Wconversion $<$<NOT:$<BOOL:${COPPICE_FUZZ}>>:-Werror>
  $<$<BOOL:${COPPICE_FUZZ}>:-Wno-sign-conversion>  # clang counts it among -Wconversion
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>)  # GCC 12 sees overlaps in std::string's operator+ that are not there (GCC bug 105651)
set(CMAKE_UNITY_BUILD_BATCH_SIZE 16)  # headers take most of the time; more than 16 leave a core idle at the end
if(CMAKE_UNITY_BUILD)  # several sources as one: their unnamed namespaces become one, which is no header's
  target_compile_options(coppice_compiler INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-subobject-linkage>)
endif()
