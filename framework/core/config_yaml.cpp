#include "core/config_yaml.h"

#include <algorithm>
#include <sstream>
#include <unordered_map>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "core/error.h"

namespace coppice::core {

namespace {

using Kind = ConfigNode::Kind;

/// Far above what a person writes; aliases that multiply end here.
constexpr int kMaxNodes = 100'000;

int count_nodes(const ConfigNode& node) {
  int count = 1;
  for (const auto& [key, value] : node.map) {
    count += count_nodes(value);
  }
  for (const ConfigNode& element : node.list) {
    count += count_nodes(element);
  }
  return count;
}

/// Builds nodes from the parser's events: unlike its document tree, they tell duplicate keys and
/// the place of every alias.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const std::string& file) : file_(file) { root_.file = file; }

  ConfigNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    // Without this limit the parser tells of empty documents without end where a text starts with a
    // comma.
    if (++documents_ > 1) {
      fail(located(mark), "something follows the document; one YAML document is allowed");
    }
  }

  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(located(mark), mark, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto target = anchors_.find(anchor);
    if (target == anchors_.end()) {
      fail(located(mark), "an alias inside of what it stands for");
    }
    ConfigNode copy = target->second;
    nodes_ += count_nodes(copy);
    add(std::move(copy), mark, YAML::NullAnchor);
  }

  void OnScalar(const YAML::Mark& mark,
                const std::string& tag,
                YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    if (Frame* map = map_without_key()) {
      map->key = value;
      map->key_at = located(mark);
      if (const ConfigNode* earlier = map->node.find(value)) {
        fail(map->key_at,
             fmt::format("key '{}' is given twice (first at {})", value, earlier->place()));
      }
      map->has_key = true;
      return;
    }
    ConfigNode node = located(mark);
    node.kind = Kind::Scalar;
    node.scalar = value;
    node.quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
    add(std::move(node), mark, anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark,
                       const std::string& tag,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Kind::List, mark, tag, anchor);
  }

  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark,
                  const std::string& tag,
                  YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Kind::Map, mark, tag, anchor);
  }

  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    ConfigNode node;
    YAML::Mark mark;
    YAML::anchor_t anchor = YAML::NullAnchor;
    bool has_key = false;
    std::string key;
    ConfigNode key_at;
  };

  Frame* map_without_key() {
    const bool waits = !frames_.empty() && frames_.back().node.kind == Kind::Map;
    return waits && !frames_.back().has_key ? &frames_.back() : nullptr;
  }

  void open(Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    check_tag(mark, tag);
    refuse_as_key(mark);
    Frame frame;
    frame.node = located(mark);
    frame.node.kind = kind;
    frame.mark = mark;
    frame.anchor = anchor;
    frames_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    add(std::move(frame.node), frame.mark, frame.anchor);
  }

  /// Puts a finished node where it belongs.
  void add(ConfigNode node, const YAML::Mark& mark, YAML::anchor_t anchor) {
    refuse_as_key(mark);
    if (++nodes_ > kMaxNodes) {
      fail(located(mark), fmt::format("more than {} values (aliases that multiply?)", kMaxNodes));
    }
    if (anchor != YAML::NullAnchor) {
      anchors_[anchor] = node;
    }
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& parent = frames_.back();
    if (parent.node.kind == Kind::List) {
      parent.node.list.push_back(std::move(node));
      return;
    }
    node.key_line = parent.key_at.line;
    node.key_column = parent.key_at.column;
    if (node.kind == Kind::Null) {  // what is not there stands where its key does
      node.line = node.key_line;
      node.column = node.key_column;
    }
    parent.node.map.push_back({std::move(parent.key), std::move(node)});
    parent.has_key = false;
  }

  void refuse_as_key(const YAML::Mark& mark) {
    if (map_without_key() != nullptr) {
      fail(located(mark), "a key must be a word");
    }
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) const {
    const bool known =
        tag.empty() || tag == "?" || tag == "!" || tag.starts_with("tag:yaml.org,2002:");
    if (!known) {
      fail(located(mark), fmt::format("the tag '{}' is not supported", tag));
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
  ConfigNode root_;
  std::vector<Frame> frames_;
  std::unordered_map<YAML::anchor_t, ConfigNode> anchors_;
  int documents_ = 0;
  int nodes_ = 0;
};

}  // namespace

ConfigNode parse_yaml(std::string_view text, const std::string& name) {
  Builder builder(name);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    ConfigNode at;
    at.file = name;
    at.line = error.mark.is_null() ? 0 : error.mark.line + 1;
    at.column = error.mark.is_null() ? 0 : error.mark.column + 1;
    throw Error(ErrorKind::Config, fmt::format("{}: not YAML: {}", at.place(), error.msg));
  }
  return builder.take();
}

void merge_config(ConfigNode& base, ConfigNode over) {
  if (base.kind != Kind::Map || over.kind != Kind::Map) {
    base = std::move(over);
    return;
  }
  for (auto& [key, value] : over.map) {
    const auto existing = std::ranges::find(base.map, key, &ConfigNode::Entry::key);
    if (existing != base.map.end()) {
      merge_config(existing->value, std::move(value));
    } else {
      base.map.push_back({key, std::move(value)});
    }
  }
  over.map = std::move(base.map);
  base = std::move(over);  // the place of the later one
}

}  // namespace coppice::core
