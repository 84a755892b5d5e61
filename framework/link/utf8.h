#pragma once

#include <string_view>

namespace coppice::link {

/// Whether the text is well-formed UTF-8 (RFC 3629), which protobuf's strings must be.
bool is_utf8(std::string_view text);

}  // namespace coppice::link
