#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/config.h"
#include "core/config_text.h"

namespace coppice::core {

namespace {

/// Whether every YAML reader takes it, unquoted, for the string that it is.
bool is_plain_string(const std::string& text) {
  constexpr std::array<std::string_view, 10> kWords = {
      "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan"};
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  const auto allowed = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.' || c == '/';
  };
  return !text.empty() &&
         (std::isalpha(static_cast<unsigned char>(text.front())) != 0 || text.front() == '/' ||
          text.front() == '_' || text.starts_with("./") || text.starts_with("../")) &&
         std::all_of(text.begin(), text.end(), allowed) &&
         std::find(kWords.begin(), kWords.end(), lower) == kWords.end();
}

}  // namespace

std::string yaml_text(bool value) {
  return value ? "true" : "false";
}

std::string yaml_text(int64_t value) {
  return std::to_string(value);
}

std::string yaml_text(double value) {
  if (std::isinf(value)) {
    return value < 0 ? "-.inf" : ".inf";
  }
  std::string text = fmt::format("{}", value);
  // YAML 1.1 readers take a number without a point for an integer or, with an exponent, for a
  // string.
  if (std::isfinite(value) && text.find('.') == std::string::npos) {
    text.insert(std::min(text.find('e'), text.size()), ".0");
  }
  return text;
}

std::string yaml_text(const std::string& value) {
  return is_plain_string(value)
             ? value
             : nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string range_text(const FieldInfo& info) {
  const bool below = std::isfinite(info.min);
  const bool above = std::isfinite(info.max);
  if (below && above) {
    return fmt::format("{} to {}", info.min, info.max);
  }
  return below ? fmt::format(">= {}", info.min) : above ? fmt::format("<= {}", info.max) : "";
}

namespace {

std::string remark(const FieldInfo& info) {
  std::string text(info.help);
  if (!info.unit.empty()) {
    text += fmt::format(" [{}]", info.unit);
  }
  if (const std::string range = range_text(info); !range.empty()) {
    text += fmt::format(" ({})", range);
  }
  if (!info.choices.empty()) {
    text += fmt::format(" ({})", fmt::join(info.choices, " | "));
  }
  return text;
}

class Dumper final : public Fields {
 public:
  explicit Dumper(bool comments) : comments_(comments) {}

  void field(std::string_view name, bool& value, const FieldInfo& info) override {
    put(name, yaml_text(value), remark(info));
  }

  void field(std::string_view name, int64_t& value, const FieldInfo& info) override {
    put(name, yaml_text(value), remark(info));
  }

  void field(std::string_view name, double& value, const FieldInfo& info) override {
    put(name, yaml_text(value), remark(info));
  }

  void field(std::string_view name, std::string& value, const FieldInfo& info) override {
    put(name, yaml_text(value), remark(info));
  }

  void field(std::string_view name, std::vector<int64_t>& value, const FieldInfo& info) override {
    put(name, yaml_text(value), remark(info));
  }

  void field(std::string_view name, std::vector<double>& value, const FieldInfo& info) override {
    put(name, yaml_text(value), remark(info));
  }

  void field(std::string_view name,
             std::vector<std::string>& value,
             const FieldInfo& info) override {
    put(name, yaml_text(value), remark(info));
  }

  std::string text() const { return fmt::format("{}\n", fmt::join(lines_, "\n")); }

  bool empty() const { return lines_.empty(); }

 protected:
  void visit_group(std::string_view name, std::string_view help, const VisitOne& visit) override {
    Dumper inner(comments_);
    visit(inner);
    put(name, inner.empty() ? "{}" : "", help);
    for (const std::string& line : inner.lines_) {
      lines_.push_back("  " + line);
    }
  }

  void visit_list(std::string_view name,
                  std::string_view help,
                  size_t size,
                  const Resize&,
                  const VisitElement& visit) override {
    put(name, size == 0 ? "[]" : "", help);
    for (size_t i = 0; i < size; ++i) {
      Dumper inner(comments_);
      visit(i, inner);
      if (inner.empty()) {
        lines_.emplace_back("  - {}");
      }
      for (size_t line = 0; line < inner.lines_.size(); ++line) {
        lines_.push_back((line == 0 ? "  - " : "    ") + inner.lines_[line]);
      }
    }
  }

 private:
  void put(std::string_view name, std::string_view value, std::string_view help) {
    std::string line = fmt::format("{}:{}{}", name, value.empty() ? "" : " ", value);
    if (comments_ && !help.empty()) {
      line += fmt::format("  # {}", help);
      std::replace(line.begin(), line.end(), '\n', ' ');
    }
    lines_.push_back(std::move(line));
  }

  bool comments_;
  std::vector<std::string> lines_;
};

}  // namespace

std::string dump_fields(const std::function<void(Fields&)>& visit, bool comments) {
  Dumper dumper(comments);
  visit(dumper);
  return dumper.empty() ? "{}\n" : dumper.text();
}

}  // namespace coppice::core
