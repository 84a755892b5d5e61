#pragma once

#include <string_view>

namespace coppice::compress {

/// Whether a name is what a pattern describes: * stands for any characters, also none, ? for one.
bool matches(std::string_view pattern, std::string_view name);

}  // namespace coppice::compress
