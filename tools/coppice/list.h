#pragma once

#include <string>

namespace coppice::tools {

/// `coppice list [KIND]`: every registered component with its help. Throws Error{NotFound} for an
/// unknown kind.
std::string list_components(const std::string& kind);

}  // namespace coppice::tools
