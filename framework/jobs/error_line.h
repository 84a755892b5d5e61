#pragma once

#include <string>
#include <string_view>

#include "core/error.h"

namespace coppice::jobs {

/// "error: not found: no such file 'x.h5'": how a job tells why it failed, as its last line on
/// stderr.
std::string to_error_line(const core::Error& error);

/// The last line of `text` that starts with "error: ", as an error; its kind is Internal where the
/// line names none. Internal with an empty message when there is no such line.
core::Error parse_error_lines(std::string_view text);

}  // namespace coppice::jobs
