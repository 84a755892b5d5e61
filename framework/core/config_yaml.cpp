#include "core/config_yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "core/error.h"

namespace coppice::core {

namespace {

/// Far above what a person writes; aliases that contain themselves or multiply end here.
constexpr int kMaxDepth = 100;
constexpr int kMaxNodes = 1'000'000;

class Converter {
 public:
  explicit Converter(const std::string& file) : file_(file) {}

  ConfigNode convert(const YAML::Node& yaml, int depth) {
    ConfigNode node = located(yaml.Mark());
    if (depth > kMaxDepth || ++nodes_ > kMaxNodes) {
      fail(node, "nested too deep or too large (an alias that contains itself?)");
    }
    switch (yaml.Type()) {
      case YAML::NodeType::Scalar:
        node.kind = ConfigNode::Kind::Scalar;
        node.scalar = yaml.Scalar();
        node.quoted = yaml.Tag() == "!" || yaml.Tag() == "tag:yaml.org,2002:str";
        break;
      case YAML::NodeType::Sequence:
        node.kind = ConfigNode::Kind::List;
        for (const auto& element : yaml) {
          node.list.push_back(convert(element, depth + 1));
        }
        break;
      case YAML::NodeType::Map:
        convert_map(yaml, depth, node);
        break;
      default:
        break;
    }
    return node;
  }

 private:
  void convert_map(const YAML::Node& yaml, int depth, ConfigNode& node) {
    node.kind = ConfigNode::Kind::Map;
    for (const auto& entry : yaml) {
      const ConfigNode at = located(entry.first.Mark());
      if (!entry.first.IsScalar()) {
        fail(at, "a key must be a word");
      }
      const std::string& key = entry.first.Scalar();
      if (const ConfigNode* earlier = node.find(key)) {
        fail(at, fmt::format("key '{}' is given twice (first at {})", key, earlier->place()));
      }
      ConfigNode value = convert(entry.second, depth + 1);
      // An empty value has no place of its own; and for a key that is unknown, the key is what is
      // wrong.
      value.key_line = at.line;
      value.key_column = at.column;
      if (value.kind == ConfigNode::Kind::Null) {
        value.line = at.line;
        value.column = at.column;
      }
      node.map.emplace_back(key, std::move(value));
    }
  }

  ConfigNode located(const YAML::Mark& mark) const {
    ConfigNode node;
    node.file = file_;
    node.line = mark.is_null() ? 0 : mark.line + 1;
    node.column = mark.is_null() ? 0 : mark.column + 1;
    return node;
  }

  [[noreturn]] static void fail(const ConfigNode& at, std::string_view message) {
    throw Error(ErrorKind::Config, fmt::format("{}: {}", at.place(), message));
  }

  const std::string& file_;
  int nodes_ = 0;
};

}  // namespace

ConfigNode parse_yaml(std::string_view text, const std::string& name) {
  ConfigNode at;
  at.file = name;
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.size() > 1) {
      throw Error(
          ErrorKind::Config,
          fmt::format("{}: holds {} YAML documents; one is allowed", name, documents.size()));
    }
    if (documents.empty()) {
      return at;
    }
    return Converter(name).convert(documents.front(), 0);
  } catch (const YAML::Exception& error) {
    at.line = error.mark.is_null() ? 0 : error.mark.line + 1;
    at.column = error.mark.is_null() ? 0 : error.mark.column + 1;
    throw Error(ErrorKind::Config, fmt::format("{}: not YAML: {}", at.place(), error.msg));
  }
}

void merge_config(ConfigNode& base, ConfigNode over) {
  if (base.kind != ConfigNode::Kind::Map || over.kind != ConfigNode::Kind::Map) {
    base = std::move(over);
    return;
  }
  for (auto& [key, value] : over.map) {
    ConfigNode* existing = const_cast<ConfigNode*>(base.find(key));
    if (existing != nullptr) {
      merge_config(*existing, std::move(value));
    } else {
      base.map.emplace_back(key, std::move(value));
    }
  }
  over.map.clear();
  base.file = over.file;
  base.line = over.line;
  base.column = over.column;
  base.key_line = over.key_line;
  base.key_column = over.key_column;
}

}  // namespace coppice::core
