#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/error.h"

namespace coppice::jobs {

/// Runs `body`; what the standard library throws about files becomes Error{Io} that names `what`.
template <class Body>
auto with_file_errors(std::string_view what, const Body& body) {
  try {
    return body();
  } catch (const std::filesystem::filesystem_error& error) {
    throw core::Error(core::ErrorKind::Io, std::string(what) + ": " + error.what());
  }
}

}  // namespace coppice::jobs
