#pragma once

#include "core/error.h"

namespace coppice::core {

/// What every program of ours exits with.
inline int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::Config:
    case ErrorKind::InvalidArgument:
      return 2;
    case ErrorKind::NotFound:
      return 3;
    case ErrorKind::Io:
      return 4;
    case ErrorKind::Corrupt:
      return 5;
    case ErrorKind::Refused:
      return 6;
    case ErrorKind::Unsupported:
      return 7;
    case ErrorKind::Numeric:
      return 8;
    case ErrorKind::Interrupted:
      return 130;
    case ErrorKind::Internal:
      break;
  }
  return 70;
}

}  // namespace coppice::core
