#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace coppice::release {

/// The number that `required_runtime` spells; nothing for any other text.
std::optional<uint32_t> runtime_format(const std::string& decimal);

}  // namespace coppice::release
