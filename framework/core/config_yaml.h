#pragma once

#include <string_view>

#include "core/config.h"

namespace coppice::core {

/// One YAML document as it stands, without resolving anything. Throws Error{Config} naming the
/// place for a syntax error, a duplicate key, a key that is not a plain word, more than one
/// document.
ConfigNode parse_yaml(std::string_view text, const std::string& name);

/// Applies "a.b=c" to `root`. Throws Error{Config}.
void apply_override(ConfigNode& root, const std::string& assignment);

/// Lays `over` on `base`: maps are merged key by key, everything else is replaced whole.
void merge_config(ConfigNode& base, ConfigNode over);

}  // namespace coppice::core
