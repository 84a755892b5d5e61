# `cmake --install` and the package that find_package(coppice) reads. The component `development` is the libraries, headers and
# package without the programs.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/coppice")

# Headers in subfolders, and those that show a third-party library, are a module's own.
function(_coppice_public_headers module result)
  get_target_property(folder coppice_${module} SOURCE_DIR)
  get_target_property(sources coppice_${module} SOURCES)
  get_target_property(torch coppice_${module} COPPICE_TORCH)
  list(FILTER sources INCLUDE REGEX "^[^/]+\\.h$")
  set(public "")
  foreach(header IN LISTS sources)
    file(STRINGS "${folder}/${header}" third_party REGEX "^#include <[^>]*\\.h(pp)?>")
    if(torch OR NOT third_party)
      list(APPEND public "${folder}/${header}")
    endif()
  endforeach()
  set(${result} "${public}" PARENT_SCOPE)
endfunction()

get_property(modules GLOBAL PROPERTY COPPICE_MODULES)
foreach(module IN LISTS modules)
  get_target_property(torch coppice_${module} COPPICE_TORCH)
  set(export coppiceTargets)
  if(torch)
    set(export coppiceTrainTargets)
  endif()
  foreach(target coppice_${module} coppice_${module}_proto)
    if(TARGET ${target})
      install(TARGETS ${target} EXPORT ${export} ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development)
    endif()
  endforeach()
  _coppice_public_headers(${module} headers)
  install(FILES ${headers} DESTINATION "include/coppice/${module}" COMPONENT development)
endforeach()

install(EXPORT coppiceTargets NAMESPACE coppice:: DESTINATION "${package_folder}" COMPONENT development)
if(COPPICE_WITH_TRAIN)
  install(EXPORT coppiceTrainTargets NAMESPACE coppice:: DESTINATION "${package_folder}" COMPONENT development)
endif()
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/coppiceConfig.cmake.in" "${PROJECT_BINARY_DIR}/coppiceConfig.cmake"
  INSTALL_DESTINATION "${package_folder}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/coppiceConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/coppiceConfig.cmake" "${PROJECT_BINARY_DIR}/coppiceConfigVersion.cmake"
              "${CMAKE_CURRENT_LIST_DIR}/CoppiceDependencies.cmake"
  DESTINATION "${package_folder}" COMPONENT development)

# The C library comes without the rest too.
install(FILES "${PROJECT_BINARY_DIR}/coppiceConfig.cmake" "${PROJECT_BINARY_DIR}/coppiceConfigVersion.cmake"
  DESTINATION "${package_folder}" COMPONENT c_library)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/configs" DESTINATION "${CMAKE_INSTALL_DATADIR}/coppice")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/README.md" "${PROJECT_SOURCE_DIR}/CHANGELOG.md"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}")
