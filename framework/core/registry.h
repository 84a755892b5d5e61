#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace coppice::core {

/// Named components of one kind, listed by each module in one visible place (no static registrars).
/// Not thread-safe while being filled; read-only afterwards.
template <class T>
class Registry {
 public:
  struct Entry {
    T value;
    std::string help;
  };

  explicit Registry(std::string kind) : kind_(std::move(kind)) {}

  /// Throws Error{InvalidArgument} when the name is taken.
  void add(std::string name, T value, std::string help) {
    if (!entries_.emplace(name, Entry{std::move(value), std::move(help)}).second) {
      throw Error(ErrorKind::InvalidArgument, kind_ + " '" + name + "' is registered twice");
    }
  }

  /// Throws Error{NotFound} with the nearest name.
  const T& get(std::string_view name) const {
    const auto it = entries_.find(std::string(name));
    if (it == entries_.end()) {
      throw Error(
          ErrorKind::NotFound,
          "unknown " + kind_ + " '" + std::string(name) + "'" + did_you_mean(name, names()));
    }
    return it->second.value;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& [name, entry] : entries_) {
      result.push_back(name);
    }
    return result;
  }

  const std::map<std::string, Entry>& entries() const { return entries_; }

  const std::string& kind() const { return kind_; }

 private:
  std::string kind_;
  std::map<std::string, Entry> entries_;
};

}  // namespace coppice::core
