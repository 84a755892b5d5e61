#include "core/config.h"

#include <fmt/format.h>

namespace coppice::core {

const ConfigNode* ConfigNode::find(std::string_view key) const {
  if (kind != Kind::Map) {
    return nullptr;
  }
  for (const auto& [name, value] : map) {
    if (name == key) {
      return &value;
    }
  }
  return nullptr;
}

std::string ConfigNode::place() const {
  return line > 0 ? fmt::format("{}:{}:{}", file, line, column) : file;
}

}  // namespace coppice::core
