#pragma once

#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "core/error.h"
#include "core/exit_code.h"

namespace coppice::tools {

/// Runs a program's body; an error becomes one line on stderr and an exit code.
template <class Body>
int report_errors(Body&& body) {
  try {
    return body();
  } catch (const core::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return core::exit_code(error.kind());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: unexpected: %s\n", error.what());
    return 70;
  }
}

}  // namespace coppice::tools
