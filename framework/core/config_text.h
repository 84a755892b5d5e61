#pragma once

#include <string>
#include <vector>

#include "core/fields.h"

namespace coppice::core {

/// A value as YAML that reads back as the same value, in YAML 1.1 readers too.
std::string yaml_text(bool value);
std::string yaml_text(int64_t value);
std::string yaml_text(double value);
std::string yaml_text(const std::string& value);

template <class T>
std::string yaml_text(const std::vector<T>& values) {
  std::string text;
  for (const T& value : values) {
    text += (text.empty() ? "" : ", ") + yaml_text(value);
  }
  return "[" + text + "]";
}

/// "0 to 1", ">= 0", "<= 9" or "".
std::string range_text(const FieldInfo& info);

}  // namespace coppice::core
