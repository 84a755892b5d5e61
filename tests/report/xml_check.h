#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coppice::report {

/// Elements that close as they opened, attributes in double quotes, no stray "<" or "&": enough to
/// catch what was not escaped. Returns what is wrong, or "".
inline std::string xml_problem(std::string_view text) {
  std::vector<std::string> open;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '&') {
      const size_t end = text.find(';', i);
      if (end == std::string_view::npos || end - i > 6) {
        return "stray & at: " + std::string(text.substr(i, 40));
      }
    } else if (text[i] == '>') {
      return "stray > at: " + std::string(text.substr(i, 40));
    } else if (text[i] == '<') {
      const size_t start = i + 1;
      bool quoted = false;
      for (++i; i < text.size() && (quoted || text[i] != '>'); ++i) {
        quoted = quoted != (text[i] == '"');
        if (text[i] == '<') {
          return "stray < at: " + std::string(text.substr(i, 40));
        }
      }
      const std::string_view tag = text.substr(start, i - start);
      const std::string name(tag.substr(0, tag.find_first_of(" /\n", 1)));
      if (tag.starts_with('/')) {
        if (open.empty() || "/" + open.back() != tag) {
          return "closed but not open: " + std::string(tag);
        }
        open.pop_back();
      } else if (!tag.ends_with('/') && !tag.starts_with('!') && name != "meta") {
        open.push_back(name);
      }
    }
  }
  return open.empty() ? "" : "not closed: " + open.back();
}

inline size_t count(std::string_view text, std::string_view part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++found;
  }
  return found;
}

}  // namespace coppice::report
