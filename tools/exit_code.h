#pragma once

#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "core/error.h"

namespace coppice::tools {

/// What the programs exit with.
inline int exit_code(core::ErrorKind kind) {
  switch (kind) {
    case core::ErrorKind::Config:
    case core::ErrorKind::InvalidArgument:
      return 2;
    case core::ErrorKind::NotFound:
      return 3;
    case core::ErrorKind::Io:
      return 4;
    case core::ErrorKind::Corrupt:
      return 5;
    case core::ErrorKind::Refused:
      return 6;
    case core::ErrorKind::Unsupported:
      return 7;
    case core::ErrorKind::Numeric:
      return 8;
    case core::ErrorKind::Interrupted:
      return 130;
    case core::ErrorKind::Internal:
      break;
  }
  return 70;
}

/// Runs a program's body; an error becomes one line on stderr and an exit code.
template <class Body>
int report_errors(Body&& body) {
  try {
    return body();
  } catch (const core::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return exit_code(error.kind());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: unexpected: %s\n", error.what());
    return 70;
  }
}

}  // namespace coppice::tools
