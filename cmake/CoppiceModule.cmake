# Adds the project's modules and programs and refuses what the floors of the design forbid.
#
#   coppice_add_module(NAME graph FLOOR 2 SOURCES graph.cpp ... HEADERS graph.h ... DEPS core PRIVATE_LIBS protobuf::libprotobuf)
#   coppice_add_program(NAME coppice SOURCES main.cpp ... DEPS loop sweep)     # TORCH only for coppice-train
#   coppice_add_test(NAME graph SOURCES shape_test.cpp ... DEPS graph)         # one CTest per binary
include_guard(GLOBAL)

define_property(TARGET PROPERTY COPPICE_FLOOR BRIEF_DOCS "floor" FULL_DOCS "floor of the module in the design")
define_property(TARGET PROPERTY COPPICE_TORCH BRIEF_DOCS "uses libtorch" FULL_DOCS "uses libtorch")
define_property(GLOBAL PROPERTY COPPICE_MODULES BRIEF_DOCS "modules" FULL_DOCS "every module added so far")

function(_coppice_check_dep owner floor torch dep)
  if(NOT TARGET coppice_${dep})
    message(FATAL_ERROR "${owner}: '${dep}' is not a module declared before it")
  endif()
  get_target_property(dep_floor coppice_${dep} COPPICE_FLOOR)
  get_target_property(dep_torch coppice_${dep} COPPICE_TORCH)
  if(dep_floor GREATER_EQUAL floor)
    message(FATAL_ERROR "${owner} (floor ${floor}) may not depend on ${dep} (floor ${dep_floor})")
  endif()
  if(dep_torch AND NOT torch)
    message(FATAL_ERROR "torch-free ${owner} may not depend on ${dep}, which uses libtorch")
  endif()
endfunction()

function(coppice_add_module)
  cmake_parse_arguments(ARG "TORCH" "NAME;FLOOR" "HEADERS;SOURCES;PROTOS;DEPS;PRIVATE_LIBS" ${ARGN})
  foreach(file IN LISTS ARG_HEADERS ARG_SOURCES ARG_PROTOS)
    if(IS_ABSOLUTE "${file}" OR file MATCHES "\\.\\.")
      message(FATAL_ERROR "${ARG_NAME}: '${file}' lies outside the module")
    endif()
  endforeach()
  foreach(dep IN LISTS ARG_DEPS)
    _coppice_check_dep(${ARG_NAME} ${ARG_FLOOR} ${ARG_TORCH} ${dep})
  endforeach()
  list(TRANSFORM ARG_DEPS PREPEND coppice_)
  add_library(coppice_${ARG_NAME} STATIC ${ARG_SOURCES} ${ARG_HEADERS})
  add_library(coppice::${ARG_NAME} ALIAS coppice_${ARG_NAME})
  target_include_directories(coppice_${ARG_NAME} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/framework> $<INSTALL_INTERFACE:include/coppice>)
  target_link_libraries(coppice_${ARG_NAME} PUBLIC ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_LIBS} $<BUILD_INTERFACE:coppice_compiler>)
  target_compile_features(coppice_${ARG_NAME} PUBLIC cxx_std_20)
  set_target_properties(coppice_${ARG_NAME} PROPERTIES
    EXPORT_NAME ${ARG_NAME} COPPICE_FLOOR ${ARG_FLOOR} COPPICE_TORCH ${ARG_TORCH})
  set_property(GLOBAL APPEND PROPERTY COPPICE_MODULES ${ARG_NAME})
  if(ARG_PROTOS)
    _coppice_add_protos(${ARG_NAME} ${ARG_PROTOS})
  endif()
  if(ARG_TORCH)
    target_link_libraries(coppice_${ARG_NAME} PRIVATE coppice_torch)
    target_compile_definitions(coppice_${ARG_NAME} PRIVATE AT_PER_OPERATOR_HEADERS TORCH_ASSERT_ONLY_METHOD_OPERATORS)
  endif()
endfunction()

# Generated protobuf code is third party: its own library, SYSTEM includes, none of our warnings.
function(_coppice_add_protos name)
  set(generated "${CMAKE_CURRENT_BINARY_DIR}/generated")
  foreach(proto IN LISTS ARGN)
    get_filename_component(stem "${proto}" NAME_WE)
    set(outputs "${generated}/${name}/${stem}.pb.cc" "${generated}/${name}/${stem}.pb.h")
    add_custom_command(OUTPUT ${outputs}
      COMMAND ${CMAKE_COMMAND} -E make_directory "${generated}"
      COMMAND protobuf::protoc "--cpp_out=${generated}" "-I${PROJECT_SOURCE_DIR}/framework"
              "${PROJECT_SOURCE_DIR}/framework/${name}/${proto}"
      DEPENDS "${PROJECT_SOURCE_DIR}/framework/${name}/${proto}" VERBATIM)
    list(APPEND all_outputs ${outputs})
  endforeach()
  add_library(coppice_${name}_proto STATIC ${all_outputs})
  target_include_directories(coppice_${name}_proto SYSTEM PUBLIC $<BUILD_INTERFACE:${generated}>)
  target_link_libraries(coppice_${name}_proto PUBLIC protobuf::libprotobuf)
  set_target_properties(coppice_${name}_proto PROPERTIES EXPORT_NAME ${name}_proto)
  target_link_libraries(coppice_${name} PRIVATE coppice_${name}_proto)
endfunction()

function(coppice_add_program)
  cmake_parse_arguments(ARG "TORCH" "NAME" "SOURCES;DEPS;PRIVATE_LIBS" ${ARGN})
  foreach(dep IN LISTS ARG_DEPS)
    _coppice_check_dep(${ARG_NAME} 99 ${ARG_TORCH} ${dep})
  endforeach()
  list(TRANSFORM ARG_DEPS PREPEND coppice_)
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_DEPS} ${ARG_PRIVATE_LIBS} coppice_compiler)
  if(ARG_TORCH)
    target_link_libraries(${ARG_NAME} PRIVATE coppice_torch)
  elseif(BUILD_TESTING)
    add_test(NAME layering.${ARG_NAME}_needs_no_torch
      COMMAND sh -c "! readelf -d '$<TARGET_FILE:${ARG_NAME}>' | grep -E 'NEEDED.*lib(torch|c10)'")
    add_test(NAME layering.${ARG_NAME}_loads_onednn_late
      COMMAND sh -c "! readelf -d '$<TARGET_FILE:${ARG_NAME}>' | grep -E 'NEEDED.*lib(dnnl|gomp)'")
  endif()
  set_target_properties(${ARG_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  install(TARGETS ${ARG_NAME} RUNTIME DESTINATION bin)
endfunction()

function(coppice_add_test)
  cmake_parse_arguments(ARG "TORCH" "NAME;TIMEOUT" "SOURCES;DEPS;PRIVATE_LIBS" ${ARGN})
  list(TRANSFORM ARG_DEPS PREPEND coppice_)
  add_executable(test_${ARG_NAME} ${ARG_SOURCES})
  target_include_directories(test_${ARG_NAME} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_options(test_${ARG_NAME} PRIVATE -O0)  # GoogleTest's macros take most of the time of an optimised build
  target_link_libraries(test_${ARG_NAME} PRIVATE ${ARG_DEPS} ${ARG_PRIVATE_LIBS} GTest::gmock GTest::gtest_main coppice_compiler)
  if(ARG_TORCH)
    target_link_libraries(test_${ARG_NAME} PRIVATE coppice_torch)
    target_compile_definitions(test_${ARG_NAME} PRIVATE AT_PER_OPERATOR_HEADERS TORCH_ASSERT_ONLY_METHOD_OPERATORS)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_test(NAME ${ARG_NAME} COMMAND test_${ARG_NAME})
  set_tests_properties(${ARG_NAME} PROPERTIES TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "XDG_CACHE_HOME=${PROJECT_BINARY_DIR}/cache")  # what backend `auto` remembers: not in the user's folder
endfunction()
