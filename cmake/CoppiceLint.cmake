# `cmake --build build/release --target format` and `--target tidy`: the scripts, for those who work from the build folder or an IDE.
add_custom_target(format COMMAND "${PROJECT_SOURCE_DIR}/tools/format" VERBATIM USES_TERMINAL)
add_custom_target(tidy COMMAND "${CMAKE_COMMAND}" -E env "BUILD=${PROJECT_BINARY_DIR}" "${PROJECT_SOURCE_DIR}/tools/lint"
  VERBATIM USES_TERMINAL)
