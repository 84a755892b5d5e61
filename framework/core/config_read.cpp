#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/config.h"
#include "core/error.h"

namespace coppice::core {

namespace {

using Kind = ConfigNode::Kind;

std::string describe(const ConfigNode& node) {
  switch (node.kind) {
    case Kind::Null:
      return "empty";
    case Kind::Map:
      return "a map";
    case Kind::List:
      return "a list";
    case Kind::Scalar:
      break;
  }
  return node.quoted ? fmt::format("the string \"{}\"", node.scalar) : "'" + node.scalar + "'";
}

[[noreturn]] void fail(const ConfigNode& node, std::string_view path, std::string_view message) {
  throw Error(ErrorKind::Config, fmt::format("{}: '{}' {}", node.place(), path, message));
}

[[noreturn]] void fail_type(const ConfigNode& node,
                            std::string_view path,
                            std::string_view expected) {
  fail(node, path, fmt::format("must be {}, but is {}", expected, describe(node)));
}

bool is_plain(const ConfigNode& node) {
  return node.kind == Kind::Scalar && !node.quoted;
}

template <class Number>
void check_range(const ConfigNode& node,
                 std::string_view path,
                 Number value,
                 const FieldInfo& info) {
  const auto number = static_cast<double>(value);
  if (number >= info.min && number <= info.max) {
    return;
  }
  const std::string unit = info.unit.empty() ? "" : fmt::format(" {}", info.unit);
  const std::string range = std::isinf(info.max) ? fmt::format("at least {}{}", info.min, unit)
                            : std::isinf(info.min)
                                ? fmt::format("at most {}{}", info.max, unit)
                                : fmt::format("from {} to {}{}", info.min, info.max, unit);
  fail(node, path, fmt::format("must be {}, but is {}", range, node.scalar));
}

void read_value(const ConfigNode& node, std::string_view path, bool& value, const FieldInfo&) {
  if (!is_plain(node) || (node.scalar != "true" && node.scalar != "false")) {
    fail_type(node, path, "true or false");
  }
  value = node.scalar == "true";
}

void read_value(const ConfigNode& node,
                std::string_view path,
                int64_t& value,
                const FieldInfo& info) {
  if (!is_plain(node)) {
    fail_type(node, path, "an integer");
  }
  const char* end = node.scalar.data() + node.scalar.size();
  int64_t parsed = 0;
  const auto result = std::from_chars(node.scalar.data(), end, parsed);
  if (result.ec == std::errc::result_out_of_range) {
    fail_type(node, path, "an integer of 64 bits");
  }
  if (result.ec != std::errc{} || result.ptr != end) {
    fail_type(node, path, "an integer");
  }
  check_range(node, path, parsed, info);
  value = parsed;
}

void read_value(const ConfigNode& node,
                std::string_view path,
                double& value,
                const FieldInfo& info) {
  if (!is_plain(node)) {
    fail_type(node, path, "a number");
  }
  double parsed = 0;
  if (node.scalar == ".inf" || node.scalar == "-.inf") {
    parsed = node.scalar.front() == '-' ? -HUGE_VAL : HUGE_VAL;
  } else {
    const char* end = node.scalar.data() + node.scalar.size();
    const auto result = std::from_chars(node.scalar.data(), end, parsed);
    if (result.ec == std::errc::result_out_of_range) {
      fail_type(node, path, "a number that a double can hold");
    }
    if (result.ec != std::errc{} || result.ptr != end || !std::isfinite(parsed)) {
      fail_type(node, path, "a number");
    }
  }
  check_range(node, path, parsed, info);
  value = parsed;
}

void read_value(const ConfigNode& node,
                std::string_view path,
                std::string& value,
                const FieldInfo& info) {
  if (node.kind != Kind::Scalar) {
    fail_type(node, path, "a string");
  }
  if (!info.choices.empty() &&
      std::find(info.choices.begin(), info.choices.end(), node.scalar) == info.choices.end()) {
    fail(node,
         path,
         fmt::format("must be one of {}, but is '{}'{}",
                     fmt::join(info.choices, ", "),
                     node.scalar,
                     did_you_mean(node.scalar, info.choices)));
  }
  value = node.scalar;
}

template <class T>
void read_value(const ConfigNode& node,
                std::string_view path,
                std::vector<T>& value,
                const FieldInfo& info) {
  if (node.kind != Kind::List) {
    fail_type(node, path, "a list");
  }
  std::vector<T> parsed(node.list.size());
  for (size_t i = 0; i < parsed.size(); ++i) {
    read_value(node.list[i], fmt::format("{}.{}", path, i), parsed[i], info);
  }
  value = std::move(parsed);
}

/// Reads one map; nested ones through readers of their own.
class Reader final : public Fields {
 public:
  /// REQUIRES: `node` is a map or empty.
  Reader(const ConfigNode& node, std::string path) : node_(node), path_(std::move(path)) {
    if (node.kind != Kind::Map && node.kind != Kind::Null) {
      if (path_.empty()) {
        throw Error(
            ErrorKind::Config,
            fmt::format("{}: must be a map of keys, but is {}", node.place(), describe(node)));
      }
      fail_type(node, path_, "a map of keys");
    }
  }

  void field(std::string_view name, bool& value, const FieldInfo& info) override {
    read(name, value, info);
  }

  void field(std::string_view name, int64_t& value, const FieldInfo& info) override {
    read(name, value, info);
  }

  void field(std::string_view name, double& value, const FieldInfo& info) override {
    read(name, value, info);
  }

  void field(std::string_view name, std::string& value, const FieldInfo& info) override {
    read(name, value, info);
  }

  void field(std::string_view name, std::vector<int64_t>& value, const FieldInfo& info) override {
    read(name, value, info);
  }

  void field(std::string_view name, std::vector<double>& value, const FieldInfo& info) override {
    read(name, value, info);
  }

  void field(std::string_view name,
             std::vector<std::string>& value,
             const FieldInfo& info) override {
    read(name, value, info);
  }

  bool is_given(std::string_view name) const override { return node_.find(name) != nullptr; }

  /// To be called when everything was visited. Unknown keys come first: a missing one may be a
  /// misspelt one.
  void finish() const {
    for (const auto& [key, value] : node_.map) {
      if (std::find(names_.begin(), names_.end(), key) == names_.end()) {
        fail_unknown(key, value);
      }
    }
    if (!missing_.empty()) {
      throw Error(ErrorKind::Config,
                  fmt::format("{}: '{}' is missing and has no default",
                              node_.place(),
                              child_path(missing_.front())));
    }
  }

 protected:
  void visit_group(std::string_view name, std::string_view, const VisitOne& visit) override {
    const ConfigNode* child = take(name);
    ConfigNode absent;
    absent.file = node_.file;
    absent.line = node_.line;
    absent.column = node_.column;
    Reader inner(child != nullptr ? *child : absent, child_path(name));
    visit(inner);
    inner.finish();
  }

  void visit_list(std::string_view name,
                  std::string_view,
                  size_t,
                  const Resize& resize,
                  const VisitElement& visit) override {
    const ConfigNode* child = take(name);
    if (child == nullptr) {
      return;
    }
    if (child->kind != Kind::List) {
      fail_type(*child, child_path(name), "a list");
    }
    resize(child->list.size());
    for (size_t i = 0; i < child->list.size(); ++i) {
      Reader inner(child->list[i], fmt::format("{}.{}", child_path(name), i));
      visit(i, inner);
      inner.finish();
    }
  }

 private:
  const ConfigNode* take(std::string_view name) {
    names_.emplace_back(name);
    return node_.find(name);
  }

  template <class T>
  void read(std::string_view name, T& value, const FieldInfo& info) {
    if (const ConfigNode* child = take(name)) {
      read_value(*child, child_path(name), value, info);
    } else if (info.required) {
      missing_.emplace_back(name);
    }
  }

  std::string child_path(std::string_view name) const {
    return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
  }

  [[noreturn]] void fail_unknown(const std::string& key, const ConfigNode& value) const {
    ConfigNode at;
    at.file = value.file;
    at.line = value.key_line;
    at.column = value.key_column;
    std::string hint = did_you_mean(key, names_);
    if (hint.empty()) {
      hint = names_.empty() ? " (no key is valid here)"
                            : fmt::format(" (valid keys: {})", fmt::join(names_, ", "));
    }
    throw Error(ErrorKind::Config,
                fmt::format("{}: unknown key '{}'{}", at.place(), child_path(key), hint));
  }

  const ConfigNode& node_;
  std::string path_;
  std::vector<std::string> names_;
  std::vector<std::string> missing_;
};

}  // namespace

void read_fields(const ConfigNode& node, const std::function<void(Fields&)>& visit) {
  Reader reader(node, "");
  visit(reader);
  reader.finish();
}

}  // namespace coppice::core
