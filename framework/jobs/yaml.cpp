#include "jobs/yaml.h"

#include <cctype>

#include <fmt/format.h>

namespace coppice::jobs {

namespace {

bool is_plain_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '+' ||
         c == '-' || c == '/';
}

/// Stricter than YAML: what is not plainly a word or a number is quoted.
bool is_plain(std::string_view text) {
  if (text.empty() ||
      (text.front() == '-' && text.find_first_not_of('-') == std::string_view::npos)) {
    return false;
  }
  for (const char c : text) {
    if (!is_plain_character(c)) {
      return false;
    }
  }
  return true;
}

std::string scalar(const core::ConfigNode& node) {
  return !node.quoted && is_plain(node.scalar) ? node.scalar : quote_yaml(node.scalar);
}

bool fits_one_line(const core::ConfigNode& node) {
  using Kind = core::ConfigNode::Kind;
  return node.kind == Kind::Null || node.kind == Kind::Scalar ||
         (node.kind == Kind::Map && node.map.empty()) ||
         (node.kind == Kind::List && node.list.empty());
}

std::string one_line(const core::ConfigNode& node) {
  using Kind = core::ConfigNode::Kind;
  switch (node.kind) {
    case Kind::Null:
      return "~";
    case Kind::Scalar:
      return scalar(node);
    case Kind::Map:
      return "{}";
    default:
      return "[]";
  }
}

void write(const core::ConfigNode& node, int depth, std::string& out) {
  const std::string margin(static_cast<size_t>(2 * depth), ' ');
  if (fits_one_line(node)) {
    out += fmt::format("{}{}\n", margin, one_line(node));
    return;
  }
  for (const auto& [key, value] : node.map) {
    out += fmt::format("{}{}:", margin, is_plain(key) ? key : quote_yaml(key));
    if (fits_one_line(value)) {
      out += fmt::format(" {}\n", one_line(value));
    } else {
      out += "\n";
      write(value, depth + 1, out);
    }
  }
  for (const core::ConfigNode& element : node.list) {
    std::string inner;
    write(element, depth + 1, inner);
    inner[margin.size()] = '-';  // "  a: 1" becomes "- a: 1"
    out += inner;
  }
}

}  // namespace

std::string to_yaml(const core::ConfigNode& node) {
  std::string out;
  write(node, 0, out);
  return out;
}

std::string quote_yaml(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

std::string indent(std::string_view text, int spaces) {
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) {
      out.append(static_cast<size_t>(spaces), ' ').append(text.substr(0, end));
    }
    out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace coppice::jobs
