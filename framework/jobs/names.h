#pragma once

#include <string_view>

namespace coppice::jobs {

/// Throws Error{InvalidArgument} for a name that is not one plain part of a path: `what` names its
/// owner ("run", "job").
void check_name(std::string_view name, std::string_view what);

}  // namespace coppice::jobs
