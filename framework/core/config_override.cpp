#include <charconv>

#include <fmt/format.h>

#include "core/config_yaml.h"
#include "core/error.h"

namespace coppice::core {

namespace {

using Kind = ConfigNode::Kind;

[[noreturn]] void fail(const std::string& assignment, std::string_view message) {
  throw Error(ErrorKind::Config, fmt::format("--set {}: {}", assignment, message));
}

std::vector<std::string> split_path(const std::string& assignment, std::string_view path) {
  std::vector<std::string> keys;
  while (true) {
    const size_t end = path.find('.');
    keys.emplace_back(path.substr(0, end));
    if (keys.back().empty()) {
      fail(assignment, "an empty key; write a.b=c");
    }
    if (end == std::string_view::npos) {
      return keys;
    }
    path.remove_prefix(end + 1);
  }
}

bool is_index(std::string_view key) {
  return key.find_first_not_of("0123456789") == std::string_view::npos;
}

void relocate(ConfigNode& node, const std::string& file) {
  node.file = file;
  node.line = node.column = node.key_line = node.key_column = 0;
  for (auto& [key, value] : node.map) {
    relocate(value, file);
  }
  for (ConfigNode& element : node.list) {
    relocate(element, file);
  }
}

ConfigNode parse_value(const std::string& assignment, const std::string& text) {
  ConfigNode value;
  if (text.empty()) {  // `--set name=` empties a string
    value.kind = Kind::Scalar;
    value.quoted = true;
  } else {
    value = parse_yaml(text, "--set " + assignment);
  }
  relocate(value, "--set " + assignment);
  return value;
}

ConfigNode& element(ConfigNode& node, const std::string& assignment, const std::string& key) {
  size_t index = 0;
  const auto parsed = std::from_chars(key.data(), key.data() + key.size(), index);
  if (parsed.ec != std::errc{} || parsed.ptr != key.data() + key.size() ||
      index > node.list.size()) {
    fail(assignment,
         fmt::format(
             "'{}' is no index of the list of {} at {}", key, node.list.size(), node.place()));
  }
  if (index == node.list.size()) {
    node.list.emplace_back();
  }
  return node.list[index];
}

/// The child named `key`, made where it is missing.
ConfigNode& step(ConfigNode& node, const std::string& assignment, const std::string& key) {
  if (node.kind == Kind::Null) {
    node.kind = is_index(key) ? Kind::List : Kind::Map;
    relocate(node, "--set " + assignment);
  }
  if (node.kind == Kind::Scalar) {
    fail(assignment,
         fmt::format("no '{}' in the single value '{}' at {}", key, node.scalar, node.place()));
  }
  if (node.kind == Kind::List) {
    return element(node, assignment, key);
  }
  for (auto& [name, value] : node.map) {
    if (name == key) {
      return value;
    }
  }
  node.map.push_back({key, {}});
  return node.map.back().value;
}

}  // namespace

void apply_override(ConfigNode& root, const std::string& assignment) {
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    fail(assignment, "no assignment; write a.b=c");
  }
  ConfigNode* node = &root;
  for (const std::string& key : split_path(assignment, assignment.substr(0, equals))) {
    node = &step(*node, assignment, key);
  }
  merge_config(*node, parse_value(assignment, assignment.substr(equals + 1)));
}

}  // namespace coppice::core
