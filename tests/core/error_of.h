#pragma once

#include "core/error.h"

namespace coppice::core::test {

/// The error that `action` throws, to look at more closely; Internal where it throws none.
template <class Action>
Error error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::Internal, "nothing failed"};
}

}  // namespace coppice::core::test
