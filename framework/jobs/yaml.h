#pragma once

#include <string>
#include <string_view>

#include "core/config.h"

namespace coppice::jobs {

/// `node` as block YAML that reads back as the same tree: map order, quoted and plain scalars are
/// kept.
std::string to_yaml(const core::ConfigNode& node);

/// A double-quoted YAML scalar.
std::string quote_yaml(std::string_view text);

/// Every line of `text` moved `spaces` to the right.
std::string indent(std::string_view text, int spaces);

}  // namespace coppice::jobs
